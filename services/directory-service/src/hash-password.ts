import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { AppError } from '@bambochat/protocol';
import { createTurns } from './take-turns.ts';

const BLOCK_SIZE = 8;
const PARALLELIZATION = 3;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
/** Each hash holds a thread of libuv's four; the others are for DNS and files. */
const HASHES_AT_ONCE = 2;
/** About as many as can be hashed before their clients give up. */
const WAITING_MAX = 100;

export type DeriveKey = (
  password: string,
  salt: Buffer,
  keyBytes: number,
  options: ScryptOptions,
) => Promise<Buffer>;

export interface Passwords {
  /**
   * Runs one attempt at a time per slot, first come first served.
   * @throws AppError `OVERLOADED` when too many wait already
   */
  inTurn<Result>(attempt: () => Promise<Result>): Promise<Result>;
  /** `$scrypt$ln=15,r=8,p=3$salt$key` (the PHC string format). Only within {@link inTurn}. */
  hash(password: string): Promise<string>;
  /**
   * Takes the same time for a wrong password and for an unknown user.
   * Only within {@link inTurn}.
   * @param stored what {@link hash} gave; null when there is no such user
   */
  verify(password: string, stored: string | null): Promise<boolean>;
}

/** @param options.cost log2 of N of new hashes */
export async function createPasswords(options: {
  cost: number;
  deriveKey?: DeriveKey;
}): Promise<Passwords> {
  const deriveKey = options.deriveKey ?? scryptKey;
  const turns = createTurns({ atOnce: HASHES_AT_ONCE, waitingMax: WAITING_MAX });

  function derive(password: string, { salt, cost }: { salt: Buffer; cost: ScryptCost }) {
    const memory = 128 * cost.N * cost.r;
    // The same characters can be typed as different code points on different keyboards.
    return deriveKey(password.normalize('NFC'), salt, KEY_BYTES, {
      ...cost,
      maxmem: memory * 2,
    });
  }

  async function hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const cost = { N: 2 ** options.cost, r: BLOCK_SIZE, p: PARALLELIZATION };
    return format({ salt, cost, key: await derive(password, { salt, cost }) });
  }

  // Nobody knows its password: what unknown users are compared with.
  const decoy = await hash(randomBytes(32).toString('base64'));

  return {
    inTurn: async (attempt) => {
      const turn = turns.take(attempt);
      if (turn === null) {
        throw new AppError('OVERLOADED', 'Too many logins at once, try again later');
      }
      return turn;
    },
    hash,
    async verify(password, stored) {
      const parsed = parse(stored ?? decoy);
      const key = await derive(password, parsed);
      return timingSafeEqual(key, parsed.key);
    },
  };
}

interface ScryptCost {
  N: number;
  r: number;
  p: number;
}

interface ScryptHash {
  cost: ScryptCost;
  salt: Buffer;
  key: Buffer;
}

function format({ cost, salt, key }: ScryptHash): string {
  const parameters = `ln=${Math.log2(cost.N)},r=${cost.r},p=${cost.p}`;
  return `$scrypt$${parameters}$${unpadded(salt)}$${unpadded(key)}`;
}

/** Bounds what a row can cost, should someone else have written it. */
const pattern =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,88})\$([A-Za-z0-9+/]{43})$/;

function parse(stored: string): ScryptHash {
  const [, ln, r, p, salt, key] = pattern.exec(stored) ?? [];
  if (ln === undefined || salt === undefined || key === undefined || Number(ln) > 20) {
    throw new Error('the stored password hash has an unknown form');
  }
  return {
    cost: { N: 2 ** Number(ln), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64'),
    key: Buffer.from(key, 'base64'),
  };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}

const scryptKey: DeriveKey = (password, salt, keyBytes, options) => {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  scrypt(password, salt, keyBytes, options, (error, key) => {
    if (error) {
      reject(error);
    } else {
      resolve(key);
    }
  });
  return promise;
};
