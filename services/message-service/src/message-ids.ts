import { randomBytes } from 'node:crypto';
import type { MessageId } from '@bambochat/protocol';
import { UUID, V7Generator } from 'uuidv7';

export interface MessageIds {
  /** A UUIDv7 of this moment, greater than `previous` even where that one's clock was ahead. */
  after(previous: MessageId | null): MessageId;
}

export function createMessageIds(): MessageIds {
  const generator = new V7Generator();

  return {
    after(previous) {
      const fresh = generator.generate().toString();
      if (previous === null || fresh > previous) {
        return fresh as MessageId;
      }
      // The writer before us was ahead of our clock: one millisecond past its id keeps the order.
      const time = Number.parseInt(previous.slice(0, 8) + previous.slice(9, 13), 16);
      const random = randomBytes(10);
      return UUID.fromFieldsV7(
        time + 1,
        random.readUInt16BE(0) & 0xfff,
        random.readUInt32BE(2) & 0x3fffffff,
        random.readUInt32BE(6),
      ).toString() as MessageId;
    },
  };
}
