import { randomBytes } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

const SECRET_BYTES = 48;
const SECRET_MIN_BYTES = 32;

/**
 * The secret in a file, created on the first call: 48 random bytes as base64url, mode 0600. Of
 * several processes that start at once one creates it and all get the same. The folder must exist.
 *
 * @throws Error when others than the owner may read or write the file: what they have read cannot
 *   be unread, so the mode is not silently corrected. Also when the file holds no secret.
 */
export async function loadOrCreateSecret(path: string): Promise<string> {
  const existing = await readSecret(path);
  if (existing !== null) {
    return existing;
  }
  await createSecret(path);
  const created = await readSecret(path);
  if (created === null) {
    throw new Error(`The secret file ${path} was removed while it was read`);
  }
  return created;
}

async function readSecret(path: string): Promise<string | null> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isCode(error, 'ENOENT')) {
      return null;
    }
    throw error;
  }
  try {
    const { mode } = await file.stat();
    // Windows has no such bits: it reports the file's read-only flag here.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new Error(
        `The secret file ${path} is open to other users. Remove it to get a new secret (all ` +
          'logins end), or set its mode to 0600 if nobody can have read it.',
      );
    }
    const secret = (await file.readFile('utf8')).trim();
    if (Buffer.byteLength(secret) < SECRET_MIN_BYTES) {
      throw new Error(`The secret file ${path} must hold at least ${SECRET_MIN_BYTES} bytes`);
    }
    return secret;
  } finally {
    await file.close();
  }
}

/** Whole or not at all: written aside, then linked, which fails when another process was first. */
async function createSecret(path: string): Promise<void> {
  const aside = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.writeFile(`${randomBytes(SECRET_BYTES).toString('base64url')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(aside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    if (!isCode(error, 'EEXIST')) {
      throw error;
    }
  } finally {
    await rm(aside, { force: true });
  }
}

/** So that the name survives a loss of power too. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') {
    return; // A folder cannot be opened there.
  }
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
