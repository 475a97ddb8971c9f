import type { ConversationId, UserId } from '@bambochat/protocol';
import fc from 'fast-check';
import { uuidv7 } from 'uuidv7';
import { expect, test } from 'vitest';
import {
  type Cursors,
  checkOf,
  decodeCursors,
  decodeToken,
  encodeCursors,
  encodeToken,
} from './sync-token.ts';

const alice = 'alice' as UserId;
const number = fc.oneof(fc.nat(), fc.maxSafeNat());
const cursorsOf = (pairs: readonly [number, number][]): Cursors =>
  new Map(pairs.map(([seq, revision]) => [uuidv7() as ConversationId, { seq, revision }]));

test('cursors come back as they went, of whatever size', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(number, number)), (pairs) => {
      const cursors = cursorsOf(pairs);
      expect(decodeCursors(encodeCursors(cursors))).toEqual(cursors);
      const token = encodeToken(alice, encodeCursors(cursors));
      expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(decodeToken(alice, token)).toEqual({ kind: 'cursors', cursors });
    }),
  );
});

test('a place comes back as it went', () => {
  fc.assert(
    fc.property(number, fc.uint8Array(), (count, bytes) => {
      const place = {
        kind: 'place' as const,
        id: '00112233445566778899aabbccddeeff',
        number: count,
        check: checkOf(bytes),
      };
      expect(decodeToken(alice, encodeToken(alice, place))).toEqual(place);
    }),
  );
});

test('cut, changed and foreign tokens are none, and garbage neither', () => {
  const cursors = encodeCursors(
    cursorsOf([
      [1, 2],
      [300, 40_000],
      [5, 6],
    ]),
  );
  const place = { kind: 'place', id: 'ab'.repeat(16), number: 7, check: '0102030405ff' } as const;
  for (const token of [encodeToken(alice, cursors), encodeToken(alice, place)]) {
    expect(decodeToken(alice, token)).not.toBeNull();
    expect(decodeToken('mallory' as UserId, token)).toBeNull();
    for (let length = 0; length < token.length; length += 1) {
      expect(decodeToken(alice, token.slice(0, length))).toBeNull();
      const other = token[length] === 'A' ? 'B' : 'A';
      const changed = token.slice(0, length) + other + token.slice(length + 1);
      expect(decodeToken(alice, changed), `changed at ${length}`).toBeNull();
    }
    expect(decodeToken(alice, `${token}A`)).toBeNull();
    expect(decodeToken(alice, `${token}==`)).toBeNull();
  }
  fc.assert(fc.property(fc.string(), (text) => decodeToken(alice, text) === null));
});

test('who makes a token up is answered like anybody, and never with an error of ours', () => {
  // The checksum is no secret: contents of any kind can get behind it.
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const decoded = decodeToken(alice, encodeToken(alice, bytes));
      expect(decoded === null || decoded.kind === 'cursors').toBe(true);
    }),
  );
});
