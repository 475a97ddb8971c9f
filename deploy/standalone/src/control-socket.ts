import { createHash } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { isAbsolute, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Logger } from '@bambochat/runtime';

/*
 * How `npm run operate` asks a standalone that runs for a copy of its database, which nobody else
 * can open. A socket in the data folder: who may read the folder has the data anyway.
 */

export interface BackupFacts {
  readonly schema: number;
  readonly messages: number;
}

interface Answer {
  readonly done?: BackupFacts;
  readonly error?: string;
}

/** Bytes of a request, and of the path of a Unix socket on some systems. */
const REQUEST_MAX = 8192;
const PATH_MAX = 100;
const REQUEST_TIMEOUT = 5000;

export function databaseIn(folder: string): string {
  return join(folder, 'bambochat.sqlite');
}

function addressIn(folder: string): string {
  if (process.platform === 'win32') {
    const digest = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 32);
    return `\\\\.\\pipe\\bambochat-${digest}`;
  }
  return join(resolve(folder), 'control.sock');
}

/** Must be called by who has the lock of the data folder: it takes the place of a stale one. */
export async function openControlSocket(options: {
  folder: string;
  backup: (path: string) => Promise<BackupFacts>;
  logger: Logger;
}): Promise<{ close(): Promise<void> }> {
  const { folder, backup, logger } = options;
  const address = addressIn(folder);
  if (Buffer.byteLength(address) > PATH_MAX) {
    logger.warn({ address }, 'no control socket: the path of the data folder is too long');
    return { close: async () => {} };
  }
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.setTimeout(REQUEST_TIMEOUT, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    void answer(socket);
  });

  async function answer(socket: Socket): Promise<void> {
    const said: Answer = await readLine(socket)
      .then(async (line) => {
        socket.setTimeout(0);
        const path = pathOf(line);
        const done = await backup(path);
        logger.info({ path, ...done }, 'backup written');
        return { done };
      })
      .catch((error: unknown) => {
        logger.error({ err: error }, 'backup failed');
        return { error: error instanceof Error ? error.message : String(error) };
      });
    socket.end(`${JSON.stringify(said)}\n`);
  }

  try {
    await rm(address, { force: true });
    await listening(server, address);
    if (process.platform !== 'win32') {
      await chmod(address, 0o600);
    }
  } catch (error) {
    // Some file systems have no sockets. Chat goes on without copies of a server that runs.
    logger.warn({ err: error, address }, 'no control socket: backups need a stop');
  }
  return {
    // One that never listened says so, and is closed.
    close: () => new Promise((closed) => server.close(() => closed())),
  };
}

function listening(server: Server, address: string): Promise<void> {
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(address, () => {
      server.off('error', failed);
      done();
    });
  });
}

function pathOf(line: string): string {
  const { backup } = JSON.parse(line) as { backup?: unknown };
  if (typeof backup !== 'string' || !isAbsolute(backup)) {
    throw new Error('a backup needs an absolute path');
  }
  return backup;
}

/**
 * Asks the standalone on this folder for a copy of its database. Null: none runs there.
 * @throws Error when it could not make the copy.
 */
export async function askForBackup(folder: string, path: string): Promise<BackupFacts | null> {
  const socket = connect(addressIn(folder));
  try {
    await new Promise<void>((connected, failed) => {
      socket.once('connect', connected);
      socket.once('error', failed);
    });
  } catch {
    return null;
  }
  try {
    socket.end(`${JSON.stringify({ backup: resolve(path) })}\n`);
    const { done, error } = JSON.parse(await readLine(socket)) as Answer;
    if (done === undefined) {
      throw new Error(`the server could not make a backup: ${error}`);
    }
    return done;
  } finally {
    socket.destroy();
  }
}

async function readLine(socket: Socket): Promise<string> {
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > REQUEST_MAX) socket.destroy();
  });
  for await (const line of createInterface({ input: socket })) {
    return line;
  }
  throw new Error('the connection ended without an answer');
}
