import type { UserId } from '@bambochat/protocol';
import type { Claim, UserStatus } from '@bambochat/stores';
import { describe, expect, it } from 'vitest';
import { decideAnnouncement } from './decide-announcement.ts';

const userId = 'ada' as UserId;
const at = (seconds: number) => new Date(seconds * 1000).toISOString();

function claim(overrides: Partial<Claim>): Claim {
  return {
    userId,
    online: true,
    seenAt: 100_000,
    changedAt: 100_000,
    told: false,
    token: 1,
    ...overrides,
  };
}

function kept(overrides: Partial<UserStatus>): UserStatus {
  return { userId, online: false, lastSeenAt: at(50), changedAt: 50_000, ...overrides };
}

const away = { online: false, seenAt: 200_000, changedAt: 205_000, told: true } as const;

describe('who came', () => {
  it('for the first time was last seen now', () => {
    expect(decideAnnouncement(claim({}), undefined)).toMatchObject({
      silent: false,
      status: { userId, online: true, lastSeenAt: at(100), changedAt: 100_000 },
    });
  });

  it('again was last seen when they left', () => {
    expect(decideAnnouncement(claim({}), kept({}))).toMatchObject({
      silent: false,
      status: { userId, online: true, lastSeenAt: at(50), changedAt: 100_000 },
    });
  });
});

describe('who went', () => {
  it('was last seen when the last device went', () => {
    const before = kept({ online: true, changedAt: 100_000 });
    expect(decideAnnouncement(claim(away), before)).toMatchObject({
      silent: false,
      status: { userId, online: false, lastSeenAt: at(200), changedAt: 205_000 },
    });
  });

  it('was never last seen before what is known already', () => {
    const before = kept({ online: true, lastSeenAt: at(201) });
    expect(decideAnnouncement(claim(away), before).status.lastSeenAt).toBe(at(201));
  });

  it('and came unheard of in between is silent and seen', () => {
    const decision = decideAnnouncement(claim({ ...away, told: false }), kept({}));
    expect(decision).toMatchObject({
      silent: true,
      status: { online: false, lastSeenAt: at(200), changedAt: 205_000 },
    });
  });
});

describe('friends are told', () => {
  it('again when another may have told them', () => {
    const recorded = decideAnnouncement(claim({}), undefined).status;
    const again = decideAnnouncement(claim({ told: null, token: 2 }), recorded);
    expect(again).toMatchObject({ silent: false, status: recorded, news: recorded });
  });

  it('the same status with the same times at every attempt', () => {
    const first = decideAnnouncement(claim(away), kept({ online: true, changedAt: 100_000 }));
    const second = decideAnnouncement(claim(away), first.status);
    expect(second).toMatchObject({ silent: false, status: first.status });
  });

  it('under the time of the first attempt when the user went and came unheard since', () => {
    const { status } = decideAnnouncement(claim({}), undefined);
    const back = claim({ told: null, seenAt: 107_000, changedAt: 107_000, token: 2 });
    const decision = decideAnnouncement(back, status);
    expect(decision).toMatchObject({ silent: false, news: status });
    // What is kept is as new as can be: nothing that is still on its way replaces it.
    expect(decision.status).toEqual({ ...status, changedAt: 107_000 });
  });

  it('when an attempt that told nobody has shown another status to who looked', () => {
    const shown = kept({ online: true, changedAt: 100_000 });
    expect(decideAnnouncement(claim({ ...away, told: false }), shown).silent).toBe(false);
  });
});

describe('in an epoch that is not settled', () => {
  const unknown = claim({ told: 'unknown' });

  it('who is back makes no noise', () => {
    const decision = decideAnnouncement(unknown, kept({ online: true }));
    expect(decision).toMatchObject({
      silent: true,
      status: { online: true, lastSeenAt: at(50), changedAt: 100_000 },
    });
  });

  it('who comes is told', () => {
    expect(decideAnnouncement(unknown, kept({ online: false })).silent).toBe(false);
    expect(decideAnnouncement(unknown, undefined).silent).toBe(false);
  });

  it('who went is told, or known to be away', () => {
    const gone = claim({ ...away, told: 'unknown' });
    expect(decideAnnouncement(gone, kept({ online: true })).silent).toBe(false);
    expect(decideAnnouncement(gone, kept({ online: false })).silent).toBe(true);
  });

  it('a transition that was recorded by an attempt that failed is told', () => {
    const { status } = decideAnnouncement(unknown, undefined);
    expect(decideAnnouncement(unknown, status)).toMatchObject({ silent: false, status });
  });
});

describe('with a presence store whose clock is behind the one before it', () => {
  it('a change still is newer than what is kept', () => {
    const future = kept({ online: true, changedAt: 900_000 });
    const first = decideAnnouncement(claim(away), future);
    expect(first).toMatchObject({ silent: false, status: { changedAt: 900_001 } });
    expect(decideAnnouncement(claim({ ...away, told: null }), first.status).status).toEqual(
      first.status,
    );
  });
});
