import { waitFor } from '@bambochat/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bystanders, bringBystanders } from './bystanders.ts';
import { connect } from './chat-connection.ts';
import { expectDense, expectFailure, expectMessage } from './contract-shapes.ts';
import { createGroup, newPeople, newPerson, online, type Person, privateText } from './person.ts';
import type { Target } from './target.ts';

const JOINS = 10_000;
const TEN_MEGABYTES = 'x'.repeat(10 * 1024 * 1024);

/** Values that stand where a text, a flag or an object belongs. */
const strangeValues: unknown[] = [
  null,
  7,
  true,
  '',
  [],
  {},
  { $gt: '' },
  { $ne: null },
  ['text'],
  { toString: 'text', valueOf: 7 },
  JSON.parse('{"__proto__":{"x":1}}'),
];

export function describeBadInput(target: () => Target): void {
  describe('bad input over the socket', () => {
    let ada: Person;
    let ben: Person;
    let conversationId: string;
    let bystanders: Bystanders;
    beforeAll(async () => {
      [ada, ben] = (await newPeople(target(), 'bad', 2)) as [Person, Person];
      conversationId = (await createGroup(ada, [ben]))._id;
      bystanders = await bringBystanders(target());
    });
    afterAll(() => bystanders[Symbol.dispose]());

    /** What no event accepts as its payload. */
    const payloads = (): unknown[] => [
      undefined,
      ...strangeValues,
      'text',
      conversationId,
      [{ conversationId, content: 'in an array' }],
    ];

    test.for([
      'send_message',
      'join_conversation',
      'leave_conversation',
      'mark_read',
      'send_reaction',
      'refresh_token',
    ])('%s with a wrong payload is answered with VALIDATION', async (event) => {
      using atAda = await online(target(), ada, 0);
      const fields = {
        send_message: ['conversationId', 'content'],
        join_conversation: ['conversationId'],
        leave_conversation: ['conversationId'],
        mark_read: ['conversationId', 'messageId'],
        send_reaction: ['messageId', 'reactionType'],
        refresh_token: ['token'],
      }[event] as string[];
      for (const payload of payloads()) {
        const answer = await (payload === undefined ? atAda.ask(event) : atAda.ask(event, payload));
        expectFailure(answer, 'VALIDATION');
      }
      const good: Record<string, unknown> = {
        conversationId,
        content: 'text',
        messageId: conversationId,
        reactionType: 'like',
        token: 'x',
      };
      for (const field of fields) {
        for (const value of [undefined, ...strangeValues]) {
          const answer = await atAda.ask(event, { ...good, [field]: value });
          expectFailure(answer, 'VALIDATION');
          expect(answer.error?.message).toContain(field);
        }
      }
      await bystanders.chat();
    });

    test('a wrong emit without callback is answered by chat_error', async () => {
      using atAda = await online(target(), ada, 1);
      for (const event of [
        'send_message',
        'join_conversation',
        'mark_read',
        'send_reaction',
        'typing',
      ]) {
        for (const payload of [null, 'text', [], { conversationId: { $gt: '' } }]) {
          const told = atAda.errors().length;
          atAda.emit(event, payload);
          await waitFor(() => atAda.errors().length > told, { describe: `${event} to be refused` });
          expect(atAda.errors().at(-1)).toStrictEqual({
            event,
            code: 'VALIDATION',
            message: expect.stringMatching(/\S/),
            retryable: false,
          });
        }
      }
      atAda.emit('send_message', { conversationId, content: ' ', clientMessageId: 'mine' });
      const { payload } = await atAda.hearsEvent('chat_error', { clientMessageId: 'mine' });
      expect(payload).toMatchObject({ event: 'send_message', code: 'VALIDATION', conversationId });
    });

    test('content and clientMessageId out of bounds are refused', async () => {
      using atAda = await online(target(), ada);
      const contents = [
        '',
        ' ',
        '\n\t\u00a0\u2003',
        'x'.repeat(4001),
        'x'.repeat(40_000),
        'lone \ud800 surrogate',
        '\udfff',
        '\ude00\ud83d',
      ];
      for (const content of contents) {
        const answer = await atAda.ask('send_message', { conversationId, content });
        expectFailure(answer, 'VALIDATION');
        expect(answer.error?.message).toContain('content');
      }
      for (const clientMessageId of ['', 'x'.repeat(65), 7, null, { $gt: '' }, ['x'], '\ud800']) {
        const answer = await atAda.ask('send_message', {
          conversationId,
          content: 'text',
          clientMessageId,
        });
        expectFailure(answer, 'VALIDATION');
        expect(answer.error?.message).toContain('clientMessageId');
      }
      for (const id of ['x', '../..', `${conversationId} `, `${conversationId}\u0000`, '*', '>']) {
        const answer = await atAda.ask('send_message', { conversationId: id, content: 'text' });
        expect(['VALIDATION', 'NOT_FOUND']).toContain(answer.error?.code);
      }
    });

    test('fields that are not in the contract change nothing', async () => {
      using atAda = await online(target(), ada);
      using atBen = await online(target(), ben, 1);
      const content = privateText('extra');
      const extra = {
        _id: 'mine',
        seq: 10_000,
        senderId: ben.userId,
        userId: ben.userId,
        createdAt: '1970-01-01T00:00:00.000Z',
        reactions: [{ userId: ben.userId, type: 'love' }],
        socketId: atBen.socket.id,
      };
      const { message } = await atAda.ask('send_message', { ...extra, conversationId, content });
      const stored = expectMessage(message, { senderId: ada.userId, content });
      expect(stored.seq).toBeLessThan(10_000);
      expect(Date.parse(stored.createdAt)).toBeGreaterThan(Date.now() - 3_600_000);
      await atBen.hears(stored);

      const poisoned = JSON.parse(
        `{"__proto__":{"senderId":"x"},"constructor":{"prototype":{"x":1}},"conversationId":${JSON.stringify(conversationId)},"content":${JSON.stringify(privateText('poison'))}}`,
      ) as unknown;
      const answer = await atAda.ask('send_message', poisoned);
      if (answer.success) {
        expectMessage(answer.message, { senderId: ada.userId });
      } else {
        expectFailure(answer, 'VALIDATION');
      }
      await bystanders.chat();
    });

    test('unknown events are ignored', async () => {
      using atAda = await online(target(), ada);
      const names = ['', 'no_such_event', '__proto__', 'constructor', 'error', 'x'.repeat(1000)];
      for (const event of [...names, 'message_sent_confirm', 'receive_message', 'chat_error']) {
        atAda.emit(event, { conversationId, content: 'text' });
        atAda.emit(event);
      }
      await atAda.settles();
      expect(atAda.losses).toEqual([]);
      const own = ['chat_error', 'presence_snapshot'];
      expect(atAda.heard.filter(({ name }) => !own.includes(name))).toEqual([]);
      await bystanders.chat();
    });

    test('arguments and callbacks in odd places do no harm', async () => {
      using atAda = await online(target(), ada);
      const payload = { conversationId, content: privateText('odd') };
      const answers = await Promise.all([
        atAda.ask('send_message', payload, 'extra'),
        atAda.ask('send_message', 'extra', payload),
        atAda.ask('join_conversation', { conversationId }, null, null),
      ]);
      for (const answer of answers) {
        if (!answer.success) {
          expectFailure(answer, 'VALIDATION');
        }
      }
      atAda.emit('typing', { conversationId, isTyping: true }, () => {});
      atAda.emit('typing', () => {});
      atAda.emit('send_message', () => {});
      await atAda.settles();
      expect(atAda.losses).toEqual([]);
      await bystanders.chat();
    });

    test('binary attachments are refused as texts and do no harm', async () => {
      using atAda = await online(target(), ada);
      const bytes = Buffer.from('bytes');
      for (const payload of [
        bytes,
        { conversationId, content: bytes },
        { conversationId: bytes, content: 'text' },
        { conversationId, content: [bytes, bytes] },
      ]) {
        expectFailure(await atAda.ask('send_message', payload), 'VALIDATION');
      }
      const extra = await atAda.ask('send_message', {
        conversationId,
        content: privateText('with bytes'),
        bytes,
      });
      expect(extra.success || extra.error?.code === 'VALIDATION').toBe(true);
      await bystanders.chat();
    });

    test.for(['websocket', 'polling'] as const)(
      'a payload of 10 MB over %s hurts only its sender',
      async (transport) => {
        using atAda = await connect({
          url: target().restUrl,
          token: ada.accessToken,
          transports: [transport],
        });
        const outcome = atAda
          .ask('send_message', { conversationId, content: TEN_MEGABYTES })
          .catch(() => null);
        const answered = { code: null as string | null | undefined };
        void outcome.then((answer) => {
          answered.code = answer?.error?.code;
        });
        await waitFor(
          () =>
            atAda.losses.length > 0 || ['TOO_LARGE', 'VALIDATION'].includes(answered.code ?? ''),
          { describe: 'the payload to be refused', timeout: 30_000 },
        );
        await bystanders.chat();
        using again = await online(target(), ada);
        await again.say(conversationId, privateText('small again'));
      },
    );

    test('10,000 joins are all answered', async () => {
      const jumpy = await newPerson(target(), 'bad');
      const { _id } = await createGroup(jumpy, [ada]);
      using atJumpy = await online(target(), jumpy, 0);
      const joined = { success: true, conversationId: _id, lastSeq: 0 };
      const answers = Array.from({ length: JOINS }, (_, index) =>
        atJumpy.ask('join_conversation', { conversationId: index % 2 === 0 ? _id : 'nowhere' }),
      );
      await bystanders.chat();
      // How many of each, so that a failure says what came instead.
      const kinds = new Map<string, number>();
      for (const answer of await Promise.all(answers)) {
        const kind = answer.error?.retryable
          ? 'retry'
          : (answer.error?.code ?? JSON.stringify(answer));
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      }
      const later = kinds.get('retry') ?? 0;
      kinds.delete('retry');
      expect(Object.fromEntries(kinds)).toEqual({
        [JSON.stringify(joined)]: JOINS / 2 - later,
        VALIDATION: JOINS / 2,
      });
      using atAda = await online(target(), ada, 1);
      const message = await atAda.say(_id, privateText('once'));
      await atJumpy.hears(message);
      await atJumpy.hears(await atAda.say(_id, privateText('marker')));
      expect(atJumpy.received(_id)).toHaveLength(2);
    }, 120_000);

    test('many connections of one user that come and go do no harm', async () => {
      for (let round = 0; round < 5; round += 1) {
        const connections = await Promise.all(
          Array.from({ length: 20 }, (_, index) => online(target(), ada, index)),
        );
        for (const connection of connections) {
          connection.emit('send_message', { conversationId, content: privateText('bye') });
          connection.close();
        }
      }
      await bystanders.chat();
      expectDense(await ada.history(conversationId));
    });
  });
}
