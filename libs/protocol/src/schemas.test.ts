import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  clientMessageIdSchema,
  contentSchema,
  conversationIdSchema,
  countCharacters,
  createConversationSchema,
  friendEventSchema,
  friendRequestAnswerSchema,
  joinConversationSchema,
  messagesQuerySchema,
  presenceReportSchema,
  profileUpdateSchema,
  registerSchema,
  sendMessageSchema,
  typingSchema,
  userIdSchema,
} from './index.ts';

const conversationId = '01890a5d-ac96-774b-bcce-b302099a8057';

describe('user ids', () => {
  test('take 1 to 50 characters of the alphabet, and nothing else', () => {
    const alphabet = 'ABCXYZabcxyz0189_.-';
    const ids = fc.string({
      unit: fc.constantFrom(...alphabet),
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(fc.property(ids, (id) => userIdSchema.safeParse(id).success));
    for (const wrong of ['', 'a'.repeat(51), 'a b', 'a\n', 'ä', 'a/b', '$gt', 'a\u0000']) {
      expect(userIdSchema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
    }
  });
});

describe('conversation ids', () => {
  test('are UUIDv7 in lower case', () => {
    expect(conversationIdSchema.safeParse(conversationId).success).toBe(true);
    for (const wrong of [
      conversationId.toUpperCase(),
      '01890a5d-ac96-474b-bcce-b302099a8057',
      `${conversationId} `,
      `${conversationId}\n`,
      '',
    ]) {
      expect(conversationIdSchema.safeParse(wrong).success, wrong).toBe(false);
    }
  });
});

describe('content', () => {
  test('is kept exactly, whatever well-formed Unicode it is', () => {
    const text = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 4000 })
      .filter((value) => value.trim() !== '' && value.isWellFormed());
    fc.assert(
      fc.property(text, (content) => {
        expect(contentSchema.parse(content)).toBe(content);
      }),
    );
  });

  test('counts code points after trimming, from 1 to 4000', () => {
    expect(contentSchema.safeParse('a'.repeat(4000)).success).toBe(true);
    expect(contentSchema.safeParse('a'.repeat(4001)).success).toBe(false);
    expect(contentSchema.safeParse('😀'.repeat(4000)).success).toBe(true);
    expect(contentSchema.safeParse('😀'.repeat(4001)).success).toBe(false);
    expect(contentSchema.safeParse(` ${'a'.repeat(4000)} `).success).toBe(true);
    expect(contentSchema.safeParse(' \n\t ').success).toBe(false);
    expect(contentSchema.safeParse('').success).toBe(false);
  });

  test('refuses lone surrogates', () => {
    for (const wrong of ['\ud800', 'a\udc00b', '\udc00\ud800']) {
      expect(contentSchema.safeParse(wrong).success).toBe(false);
    }
  });

  test('refuses megabytes', () => {
    expect(contentSchema.safeParse('a'.repeat(10_000_000)).success).toBe(false);
    expect(contentSchema.safeParse(' '.repeat(10_000_000)).success).toBe(false);
  });
});

test('characters are counted as the iterator counts them', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(countCharacters(text)).toBe([...text].length);
    }),
  );
});

test('client message ids take 1 to 64 characters', () => {
  expect(clientMessageIdSchema.safeParse('x'.repeat(64)).success).toBe(true);
  expect(clientMessageIdSchema.safeParse('x'.repeat(65)).success).toBe(false);
  expect(clientMessageIdSchema.safeParse('').success).toBe(false);
  expect(clientMessageIdSchema.safeParse('\ud800').success).toBe(false);
});

describe('payloads from outside', () => {
  const schemas = {
    sendMessageSchema,
    typingSchema,
    joinConversationSchema,
    createConversationSchema,
    friendEventSchema,
    friendRequestAnswerSchema,
    registerSchema,
    profileUpdateSchema,
    messagesQuerySchema,
    presenceReportSchema,
  };

  test('never make a schema throw', () => {
    for (const schema of Object.values(schemas)) {
      fc.assert(
        fc.property(fc.anything({ withNullPrototype: true }), (payload) => {
          expect(typeof schema.safeParse(payload).success).toBe('boolean');
        }),
        { numRuns: 200 },
      );
    }
  });

  test('are refused where an operator stands for a string', () => {
    expect(sendMessageSchema.safeParse({ conversationId: { $gt: '' }, content: 'x' }).success).toBe(
      false,
    );
    expect(sendMessageSchema.safeParse({ conversationId, content: { $gt: '' } }).success).toBe(
      false,
    );
    expect(
      registerSchema.safeParse({ id: { $ne: null }, email: 'a@b.cd', password: 'x'.repeat(8) })
        .success,
    ).toBe(false);
  });

  test('lose unknown fields and cannot reach a prototype', () => {
    const hostile = JSON.parse(
      `{"conversationId":"${conversationId}","content":"hi","extra":1,"__proto__":{"polluted":true}}`,
    );
    const parsed = sendMessageSchema.parse(hostile);
    expect(Object.keys(parsed).sort()).toEqual(['content', 'conversationId']);
    expect('polluted' in parsed).toBe(false);
    expect('polluted' in {}).toBe(false);
  });
});

describe('page queries', () => {
  test('take a seq or a message id, never both directions, and 1 to 200', () => {
    expect(messagesQuerySchema.parse({ conversationId, before: '12' })).toMatchObject({
      before: 12,
      limit: 50,
    });
    expect(messagesQuerySchema.parse({ conversationId, after: conversationId }).after).toBe(
      conversationId,
    );
    for (const wrong of [
      { before: '1', after: '2' },
      { before: '-1' },
      { before: '1.5' },
      { after: 'newest' },
      { limit: '0' },
      { limit: '201' },
      { limit: 'many' },
    ]) {
      expect(
        messagesQuerySchema.safeParse({ conversationId, ...wrong }).success,
        JSON.stringify(wrong),
      ).toBe(false);
    }
  });
});

describe('friendships', () => {
  const friendship = {
    _id: conversationId,
    requesterId: 'ada',
    addresseeId: 'ben',
    status: 'accepted',
    createdAt: '2026-01-02T03:04:05.678Z',
  };

  test('are answered with accept or reject and nothing else', () => {
    expect(friendRequestAnswerSchema.safeParse({ action: 'accept' }).success).toBe(true);
    for (const action of ['block', 'Accept', '', null, undefined, { $ne: 'accept' }]) {
      expect(friendRequestAnswerSchema.safeParse({ action }).success, String(action)).toBe(false);
    }
  });

  test('have events that fit their payloads', () => {
    const update = { to: 'ada', event: 'friend_request_update', payload: friendship };
    expect(friendEventSchema.safeParse(update).success).toBe(true);
    const pending = { ...friendship, status: 'pending' };
    expect(friendEventSchema.safeParse({ ...update, payload: pending }).success).toBe(false);
    const request = { to: 'ben', event: 'friend_request', payload: pending };
    expect(friendEventSchema.safeParse(request).success).toBe(false);
    const requester = { _id: 'ada', displayName: 'Ada', avatar: null };
    expect(
      friendEventSchema.safeParse({ ...request, payload: { ...pending, requester } }).success,
    ).toBe(true);
  });
});

describe('a report of presence', () => {
  const report = {
    gatewayId: 'g-1',
    number: 1,
    connected: [['ada', 4_294_967_295]],
    disconnected: [['ben', 0, 1500]],
    replaced: { bucket: 255, users: [] },
    digest: { users: 1, sum: 4_294_967_295 },
  };

  test('has bounded parts', () => {
    expect(presenceReportSchema.safeParse(report).success).toBe(true);
    for (const wrong of [
      { number: 0 },
      { gatewayId: 'a.b' },
      { connected: [['ada', 4_294_967_296]] },
      { connected: Array.from({ length: 501 }, (_, index) => [`user-${index}`, index]) },
      { disconnected: [['ben', 0, -1]] },
      { replaced: { bucket: 256, users: [] } },
    ]) {
      expect(
        presenceReportSchema.safeParse({ ...report, ...wrong }).success,
        Object.keys(wrong)[0],
      ).toBe(false);
    }
  });
});
