import { describe, expect, it } from 'vitest';
import { readInvocation, UsageError } from './options.ts';

function run(args: string[], env: NodeJS.ProcessEnv = {}) {
  const invocation = readInvocation(args, env);
  if (invocation.kind !== 'run') {
    throw new Error('expected a run');
  }
  return invocation;
}

describe('the command line of the stack', () => {
  it('starts two gateways, message- and presence-services and one of the others by default', () => {
    expect(run([])).toEqual({
      kind: 'run',
      json: false,
      options: {
        gateways: 2,
        messageServices: 2,
        presenceServices: 2,
        historyServices: 1,
        directoryServices: 1,
        webServices: 1,
        port: 3000,
        restart: false,
        logFile: null,
      },
    });
  });

  it('takes every flag', () => {
    const { json, options } = run([
      ...['--gateways', '3', '--message-services=4', '--history-services', '2'],
      ...['--directory-services', '5', '--presence-services', '6', '--web-services', '7'],
      ...['--port', '0', '--restart', '--log-file', 'a.log', '--json'],
    ]);
    expect(json).toBe(true);
    expect(options).toEqual({
      gateways: 3,
      messageServices: 4,
      presenceServices: 6,
      historyServices: 2,
      directoryServices: 5,
      webServices: 7,
      port: 0,
      restart: true,
      logFile: 'a.log',
    });
  });

  it('takes the port from the flag, else from PORT, else 3000', () => {
    expect(run(['--port', '1'], { PORT: '2' }).options.port).toBe(1);
    expect(run([], { PORT: '2' }).options.port).toBe(2);
    expect(run([], { PORT: '' }).options.port).toBe(3000);
  });

  it('asks for help', () => {
    expect(readInvocation(['--help'], {})).toEqual({ kind: 'help' });
  });

  it.each([
    { args: ['--gateway', '2'], says: /--gateway/ },
    { args: ['two'], says: /two/ },
    { args: ['--gateways'], says: /gateways/ },
    { args: ['--gateways', '0'], says: /--gateways must be a whole number from 1 to 64/ },
    { args: ['--gateways', '65'], says: /--gateways must be/ },
    { args: ['--message-services', '1.5'], says: /--message-services must be/ },
    { args: ['--presence-services', '0'], says: /--presence-services must be/ },
    { args: ['--history-services', '-1'], says: /history-services/ },
    { args: ['--directory-services', 'x'], says: /--directory-services must be/ },
    { args: ['--web-services', '0'], says: /--web-services must be/ },
    { args: ['--gateways', ''], says: /--gateways must be/ },
    { args: ['--port', '65536'], says: /--port must be a whole number from 0 to 65535/ },
    { args: ['--log-file', ''], says: /--log-file/ },
    { args: ['--json=yes'], says: /json/ },
  ])('refuses $args', ({ args, says }) => {
    expect(() => readInvocation(args, {})).toThrow(UsageError);
    expect(() => readInvocation(args, {})).toThrow(says);
  });

  it('names PORT when the variable is wrong', () => {
    expect(() => readInvocation([], { PORT: 'http' })).toThrow(/^PORT must be/);
  });
});
