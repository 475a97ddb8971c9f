import { waitFor } from '@bambochat/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bystanders, bringBystanders } from './bystanders.ts';
import type { ChatConnection } from './chat-connection.ts';
import { type Answer, errorCodes, expectDense, expectMessage } from './contract-shapes.ts';
import { EngineIoClient } from './engine-io-client.ts';
import { createGroup, newPeople, online, type Person, privateText } from './person.ts';
import type { Target } from './target.ts';

const ROUNDS = 300;
const asked = [
  'send_message',
  'join_conversation',
  'leave_conversation',
  'mark_read',
  'send_reaction',
  'refresh_token',
];
/** Names that a stock client refuses to emit. */
const reserved = /^(connect|connect_error|disconnect|disconnecting|newListener|removeListener)$/;

/** Near enough to a good payload to get past the first check, and wrong in any way after it. */
function payloads(conversationId: string) {
  const text = fc.string({ unit: 'binary', maxLength: 100 });
  const strange = fc.oneof(fc.jsonValue(), text, fc.constant({ $gt: '' }));
  return fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        conversationId: fc.oneof({ weight: 3, arbitrary: fc.constant(conversationId) }, strange),
        content: fc.oneof({ weight: 3, arbitrary: text }, strange),
        clientMessageId: fc.oneof({ weight: 2, arbitrary: text }, strange),
        messageId: fc.oneof({ weight: 3, arbitrary: fc.constant(conversationId) }, strange),
        reactionType: fc.oneof(fc.constantFrom('like', 'angry'), strange),
        isTyping: fc.oneof(fc.boolean(), strange),
        token: strange,
        __proto__: fc.jsonValue(),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
  );
}

/** Frames after the connect packet that a broken or hostile client might send. */
function frames(conversationId: string): (string | Uint8Array<ArrayBuffer>)[] {
  const id = JSON.stringify(conversationId);
  return [
    '',
    '4',
    '5',
    '6',
    '9',
    '1',
    '40',
    '40{}',
    '40{"token":',
    '40/admin,{"token":"x"}',
    '40/__proto__,',
    '41/admin,',
    '42',
    '42[',
    '42[]',
    '42{}',
    '42null',
    '42[null]',
    '42[1]',
    '42[{}]',
    '42["error","x"]',
    '42["disconnect"]',
    '42["newListener","x"]',
    '42["__proto__",{}]',
    '42["constructor"]',
    '42["hasOwnProperty",1]',
    '42["send_message"]',
    `42["send_message",{"conversationId":${id},"content":{"$gt":""}}]`,
    `42["send_message",{"conversationId":${id},"__proto__":{"content":"x"}}]`,
    `42["send_message",${'['.repeat(20_000)}${']'.repeat(20_000)}]`,
    `42["send_message",{"content":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}]`,
    '429007199254740993["join_conversation",{}]',
    '42-1["join_conversation",{}]',
    '42999999999999999999999999["join_conversation"]',
    '43[]',
    '43999[]',
    '431{"a":1}',
    '44',
    '44{"message":"x"}',
    '45-["x"]',
    '450-["send_message",{}]',
    '451-["send_message",{"_placeholder":true,"num":0}]',
    '451-["send_message",{"_placeholder":true,"num":7}]',
    '451000000-["send_message",{}]',
    '451-["send_message",{"_placeholder":true,"num":"length"}]',
    '46',
    '47["x"]',
    'b4AAAA',
    '\u001e',
    '42["typing",1]\u001e42["typing",2]',
    '\u0000\u0001',
    `4${'2'.repeat(10_000)}`,
    `42["${'x'.repeat(60_000)}"]`,
    new Uint8Array(),
    new Uint8Array([4, 2, 0, 255]),
    new Uint8Array(50_000),
  ];
}

export function describeFuzzing(target: () => Target): void {
  describe('fuzzing a live gateway', () => {
    let ada: Person;
    let ben: Person;
    let conversationId: string;
    let bystanders: Bystanders;
    beforeAll(async () => {
      [ada, ben] = (await newPeople(target(), 'fuzz', 2)) as [Person, Person];
      conversationId = (await createGroup(ada, [ben]))._id;
      bystanders = await bringBystanders(target());
    });
    afterAll(() => bystanders[Symbol.dispose]());

    function expectAnswer(answer: Answer): void {
      if (answer.success) {
        if (answer.message !== undefined) {
          expectMessage(answer.message, { conversationId, senderId: ada.userId });
        }
      } else {
        expect(errorCodes).toContain(answer.error?.code);
        expect(answer.error?.code).not.toBe('INTERNAL');
      }
    }

    test('any payload of any known event is answered', async () => {
      using atAda = await online(target(), ada, 0);
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...asked),
          payloads(conversationId),
          async (event, value) => {
            expectAnswer(await atAda.ask(event, value));
            expect(atAda.losses).toEqual([]);
          },
        ),
        { numRuns: ROUNDS },
      );
      await bystanders.chat();
      expectDense(await ben.history(conversationId));
    }, 60_000);

    test('any emit without callback leaves the connection as it was', async () => {
      using atAda: ChatConnection = await online(target(), ada, 1);
      const names = fc.oneof(
        fc.constantFrom(...asked, 'typing'),
        fc.string({ unit: 'binary' }).filter((name) => !reserved.test(name)),
      );
      const args = fc.array(payloads(conversationId), { maxLength: 3 });
      await fc.assert(
        fc.asyncProperty(names, args, async (event, values) => {
          atAda.emit(event, ...values);
          await atAda.settles();
          expect(atAda.losses).toEqual([]);
        }),
        { numRuns: ROUNDS },
      );
      expect(atAda.errors().filter(({ code }) => code === 'INTERNAL')).toEqual([]);
      await bystanders.chat();
      expectDense(await ben.history(conversationId));
    }, 60_000);

    test('a bare WebSocket that speaks the protocol is served', async () => {
      for (const url of target().socketUrls) {
        using raw = await EngineIoClient.connect(url, ada.accessToken);
        const content = privateText('by hand');
        raw.send(`421["send_message",${JSON.stringify({ conversationId, content })}]`);
        const frame = await raw.awaitFrame((text) => text.startsWith('431['), 'the answer');
        const [answer] = JSON.parse(frame.slice(3)) as [Answer];
        expect(answer).toMatchObject({ success: true });
        const message = expectMessage(answer.message, { conversationId, content });
        const confirmation = await raw.awaitFrame(
          (text) => text.startsWith('42["message_sent_confirm"'),
          'the confirmation',
        );
        expect(JSON.parse(confirmation.slice(2))).toStrictEqual(['message_sent_confirm', message]);
      }
    });

    test('a bare WebSocket without a token is told why, and hears nothing', async () => {
      for (const url of target().socketUrls) {
        for (const packet of [
          '40',
          '40{}',
          '40{"token":""}',
          '40{"token":["x"]}',
          '40{"token":7}',
        ]) {
          using raw = await EngineIoClient.open(url);
          raw.send(packet);
          const frame = await raw.awaitFrame((text) => text.startsWith('44'), 'the refusal');
          expect(JSON.parse(frame.slice(2))).toMatchObject({
            message: expect.stringMatching(/^(Authentication required|Invalid or expired token)$/),
            data: { code: expect.stringMatching(/^AUTH_(REQUIRED|INVALID)$/) },
          });
        }
      }
    });

    test('garbage frames hurt only the connection they come from', async () => {
      const url = target().gatewayUrls[0];
      for (const frame of frames(conversationId)) {
        using raw = await EngineIoClient.connect(url, ada.accessToken);
        raw.send(frame);
        // Either the connection goes on, or it was closed: both are an end of the matter.
        raw.send(`427["join_conversation",${JSON.stringify({ conversationId })}]`);
        await raw
          .awaitFrame((text) => text.startsWith('437['), 'the answer after garbage')
          .catch((error: unknown) => {
            expect({ frame, closed: raw.closed, error }).toMatchObject({ frame, closed: true });
          });
      }
      // Before the connect packet, and instead of it.
      for (const first of ['42["send_message",{}]', '43[]', 'x', '41', '44{}', '451-["x"]', '']) {
        using raw = await EngineIoClient.open(url);
        raw.send(first);
        raw.send(`40${JSON.stringify({ token: ada.accessToken })}`);
        await waitFor(() => raw.closed || raw.frames.some((frame) => frame.startsWith('40{')), {
          describe: `the end of the matter after ${first}`,
        });
      }
      {
        using raw = await EngineIoClient.connect(url, ada.accessToken);
        const content = privateText('after goodbye');
        raw.send('41');
        raw.send(`42["send_message",${JSON.stringify({ conversationId, content })}]`);
        await bystanders.chat();
        const history = await ben.history(conversationId);
        expect(history.map((message) => message.content)).not.toContain(content);
      }
      await bystanders.chat();
    }, 120_000);
  });
}
