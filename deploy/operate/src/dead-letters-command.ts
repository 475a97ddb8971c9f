import { parseArgs } from 'node:util';
import type { ChatRequest } from '@bambochat/protocol';
import { type Command, RefusedError, required, UsageError, wholeNumber } from './command.ts';
import { withJetStream } from './command-streams.ts';
import { createDeadLetterDesk, type DeadLetter, type DeadLetterDesk } from './dead-letters.ts';

const PAGE_MAX = 1000;
/** Letters that `replay --all` and `drop --all` take at a time. */
const BATCH = 100;

export const deadLetters: Command = {
  usage: `  dead-letters list [--limit 20] [--before N] [--json]   newest first, without contents
  dead-letters show N [--content]                        one in full; texts only with --content
  dead-letters replay N… | --all [--keep]                back into the command log
  dead-letters drop N… | --all                           gone for good
      of NATS at --nats or NATS_URL
`,
  async run([action = '', ...args], { env, print }) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        nats: { type: 'string' },
        limit: { type: 'string', default: '20' },
        before: { type: 'string' },
        json: { type: 'boolean', default: false },
        content: { type: 'boolean', default: false },
        all: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
      },
    });
    const url = required(values.nats ?? env.NATS_URL, 'NATS_URL');
    const numbers = positionals.map((text) =>
      wholeNumber(text, 'the number of a dead letter', 1, Number.MAX_SAFE_INTEGER),
    );
    if (action === 'list') {
      const limit = wholeNumber(values.limit, '--limit', 1, PAGE_MAX);
      const before =
        values.before === undefined
          ? {}
          : { before: wholeNumber(values.before, '--before', 1, Number.MAX_SAFE_INTEGER) };
      await withDesk(url, (desk) => list(desk, { limit, ...before }, values.json, print));
    } else if (action === 'show') {
      const [number] = numbers;
      if (number === undefined || numbers.length > 1) {
        throw new UsageError('dead-letters show takes one number');
      }
      await withDesk(url, async (desk) => print(inFull(await desk.read(number), values.content)));
    } else if (action === 'replay' || action === 'drop') {
      if (values.all === numbers.length > 0) {
        throw new UsageError(`dead-letters ${action} takes numbers, or --all`);
      }
      await withDesk(url, async (desk) => {
        const each =
          action === 'drop' ? dropping(desk, print) : replaying(desk, values.keep, print);
        await (values.all ? oldestFirst(desk, each) : inOrder(desk, numbers, each));
      });
    } else {
      throw new UsageError(`there is no dead-letters ${action}`);
    }
  },
};

function withDesk<Result>(
  url: string,
  work: (desk: DeadLetterDesk) => Promise<Result>,
): Promise<Result> {
  return withJetStream(url, (manager) => work(createDeadLetterDesk(manager)));
}

async function list(
  desk: DeadLetterDesk,
  options: { limit: number; before?: number },
  asJson: boolean,
  print: (line: string) => void,
): Promise<void> {
  const { letters, before, total } = await desk.page(options);
  for (const letter of letters) {
    print(asJson ? JSON.stringify(inShort(letter)) : asLine(letter));
  }
  if (!asJson) {
    print(`${letters.length} of ${total}`);
    if (before !== null) {
      print(`older ones: --before ${before}`);
    }
  }
}

function inShort({ number, at, partition, reason, command, bytes }: DeadLetter) {
  const requests = command?.requests.map(({ kind }) => kind) ?? null;
  return { number, at, partition, reason, requests, bytes: bytes.length };
}

function asLine(letter: DeadLetter): string {
  const { number, at, partition, requests, reason } = inShort(letter);
  const what = requests === null ? 'unreadable' : `${requests.length} × ${kindsOf(requests)}`;
  return `${String(number).padStart(6)}  ${at}  partition ${partition}  ${what}  ${reason}`;
}

function kindsOf(kinds: readonly string[]): string {
  return [...new Set(kinds)].join('+');
}

function inFull(letter: DeadLetter, withContent: boolean): string {
  const { command, bytes } = letter;
  const requests = command?.requests.map((request) => (withContent ? request : hushed(request)));
  return JSON.stringify(
    {
      ...inShort(letter),
      ...(command === null ? { base64: withContent ? base64(bytes) : '[hidden]' } : {}),
      ...(command === null ? {} : { gatewayId: command.gatewayId, requests }),
    },
    null,
    2,
  );
}

/** Who said it where may be needed to find a fault; what was said is nobody's business. */
function hushed(request: ChatRequest): object {
  return request.kind === 'message'
    ? { ...request, content: `[hidden: ${request.content.length} characters]` }
    : request;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** False: it stays, and is not to be tried again in this run. */
type Each = (letter: DeadLetter) => Promise<boolean>;

function replaying(desk: DeadLetterDesk, keep: boolean, print: (line: string) => void): Each {
  return async (letter) => {
    try {
      const partitions = await desk.replay(letter, { keep });
      print(`${letter.number}  replayed to partition ${partitions.join(', ')}`);
      return !keep;
    } catch (error) {
      if (!(error instanceof RefusedError)) {
        throw error;
      }
      print(`${letter.number}  skipped: ${error.message}`);
      return false;
    }
  };
}

function dropping(desk: DeadLetterDesk, print: (line: string) => void): Each {
  return async ({ number }) => {
    await desk.drop(number);
    print(`${number}  dropped`);
    return true;
  };
}

async function inOrder(
  desk: DeadLetterDesk,
  numbers: readonly number[],
  each: Each,
): Promise<void> {
  for (const number of numbers.toSorted((a, b) => a - b)) {
    await each(await desk.read(number));
  }
}

/** All that are there at the beginning, in the order in which they were put aside. */
async function oldestFirst(desk: DeadLetterDesk, each: Each): Promise<void> {
  const numbers: number[] = [];
  let before: number | null = null;
  do {
    const page = await desk.page({ limit: BATCH, ...(before === null ? {} : { before }) });
    numbers.push(...page.letters.map(({ number }) => number));
    before = page.before;
  } while (before !== null);
  await inOrder(desk, numbers, each);
}
