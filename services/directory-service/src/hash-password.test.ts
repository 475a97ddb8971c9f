import { describe, expect, it } from 'vitest';
import { createPasswords } from './hash-password.ts';

describe('password hashes', () => {
  it('have the parameters of the default configuration in them, and verify', async () => {
    const passwords = await createPasswords({ cost: 15 });
    const stored = await passwords.hash('correct horse');
    expect(stored).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/);
    expect(await passwords.verify('correct horse', stored)).toBe(true);
    expect(await passwords.verify('Correct horse', stored)).toBe(false);
  });

  it('differ for one password', async () => {
    const passwords = await createPasswords({ cost: 4 });
    expect(await passwords.hash('same')).not.toBe(await passwords.hash('same'));
  });

  it('verify by their own cost, so that the configuration may change', async () => {
    const stored = await (await createPasswords({ cost: 4 })).hash('correct horse');
    const costs: unknown[] = [];
    const { scryptSync } = await import('node:crypto');
    const later = await createPasswords({
      cost: 5,
      deriveKey: async (password, salt, keyBytes, options) => {
        costs.push(options.N);
        return scryptSync(password, salt, keyBytes, options);
      },
    });
    expect(await later.verify('correct horse', stored)).toBe(true);
    expect(costs).toEqual([32, 16]);
  });

  it('of nobody match no password, at the full cost', async () => {
    const passwords = await createPasswords({ cost: 4 });
    expect(await passwords.verify('', null)).toBe(false);
    expect(await passwords.verify('correct horse', null)).toBe(false);
  });

  it.each(['', 'plain', '$scrypt$ln=40,r=8,p=3$AAAAAAAAAAAAAAAAAAAAAA$A', '$2b$10$abc'])(
    'of another form are an error and not a wrong password: %s',
    async (stored) => {
      const passwords = await createPasswords({ cost: 4 });
      await expect(passwords.verify('x', stored)).rejects.toThrow(/unknown form/);
    },
  );
});
