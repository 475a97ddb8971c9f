import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, obtainTool, waitFor } from '@bambochat/testing';
import { Server as SocketServer } from 'socket.io';
import { composeFolder } from './compose-file.fixture.ts';

/** What a replica was asked, as it saw it. */
export interface Seen {
  readonly replica: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

export interface Edge extends AsyncDisposable {
  readonly url: string;
  readonly replicas: Readonly<Record<string, Server>>;
}

const replicaNames = {
  'socket-gateway': ['socket-gateway-1', 'socket-gateway-2'],
  'history-service': ['history-service-1', 'history-service-2'],
  'directory-service': ['directory-service-1'],
  web: ['web-1'],
};

/**
 * The Caddyfile in a real Caddy. In place of what Docker's name server tells stand two gateways with a
 * real Socket.IO, and services that answer what they were asked.
 *
 * @throws ToolMissingError
 */
export async function startEdge(): Promise<Edge> {
  const { file } = await obtainTool('caddy');
  const replicas: Record<string, Server> = {};
  for (const name of Object.values(replicaNames).flat()) {
    replicas[name] = await startReplica(name);
  }
  const folder = await mkdtemp(join(tmpdir(), 'bambochat-edge-'));
  const port = await freePort();
  const text = await readFile(new URL('compose/Caddyfile', composeFolder), 'utf8');
  const adapted = text
    .replace(':8080 {', `http://:${port} {\n\tbind 127.0.0.1`)
    .replaceAll('/srv', fileURLToPath(new URL('docs/generated', composeFolder)))
    .replaceAll(/dynamic a (\S+) 3000 \{[^}]*\}/g, (_all, service: keyof typeof replicaNames) =>
      [
        'to',
        ...replicaNames[service].flatMap((name) => {
          const replica = replicas[name];
          return replica === undefined ? [] : [addressOf(replica)];
        }),
      ].join(' '),
    );
  await writeFile(join(folder, 'Caddyfile'), adapted);
  const child = spawn(file, ['run', '--adapter', 'caddyfile', '--config', 'Caddyfile'], {
    cwd: folder,
    env: { ...process.env, HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log = (log + chunk).slice(-20_000);
  });
  const endWithTests = () => child.kill('SIGKILL');
  process.once('exit', endWithTests);

  const stop = async () => {
    process.off('exit', endWithTests);
    if (child.exitCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    for (const server of Object.values(replicas)) {
      server.closeAllConnections();
      server.close();
    }
    await rm(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await waitFor(async () => (await fetch(`${url}/healthz`)).ok, { describe: 'Caddy' });
  } catch (error) {
    await stop();
    throw new Error(`Caddy does not start:\n${log}`, { cause: error });
  }
  return { url, replicas, [Symbol.asyncDispose]: stop };
}

function addressOf(server: Server): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startReplica(replica: string): Promise<Server> {
  const server = createServer();
  if (replica.startsWith('socket-gateway')) {
    const io = new SocketServer(server, { serveClient: false });
    io.on('connection', (socket) => {
      socket.on('who', (answer: (replica: string) => void) => answer(replica));
    });
  } else {
    server.on('request', (request, response) => {
      const seen: Seen = { replica, url: request.url ?? '', headers: request.headers };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(seen));
    });
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
