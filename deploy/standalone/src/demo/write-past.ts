import { randomBytes, randomUUID } from 'node:crypto';
import { createPasswords } from '@bambochat/directory-service/passwords';
import type {
  ClientMessageId,
  ConversationId,
  FriendshipId,
  Message,
  MessageId,
  ReactionType,
  UserId,
} from '@bambochat/protocol';
import type { Membership } from '@bambochat/stores';
import { openSqliteStores, type SqliteStores } from '@bambochat/stores/sqlite';
import { UUID } from 'uuidv7';
import { type PastConversation, type PastMessage, pastConversations } from './past.ts';
import { asking, demoPassword, friends, newcomer, people } from './people.ts';

const DAY = 86_400_000;
/** Nobody has more than this to lose here. */
const PASSWORD_COST = 14;

/**
 * Writes accounts, friendships and conversations of the last days into a new database. Into the
 * stores, because the interface has no way to say something yesterday; what the server does then is
 * what it would do with any data that it finds.
 */
export async function writePast(database: string, now = Date.now()): Promise<void> {
  const stores = openSqliteStores({ path: database });
  try {
    await writeAccounts(stores, now);
    await writeFriendships(stores, now);
    for (const conversation of pastConversations) {
      await writeConversation(stores, conversation, now);
    }
  } finally {
    await stores.close();
  }
}

async function writeAccounts({ directoryStore, statusStore }: SqliteStores, now: number) {
  const passwords = await createPasswords({ cost: PASSWORD_COST });
  const passwordHash = await passwords.inTurn(() => passwords.hash(demoPassword));
  for (const { id, displayName, bio } of people) {
    await directoryStore.createAccount({
      _id: id as UserId,
      displayName,
      bio,
      avatar: null,
      email: `${id}@demo.example`,
      isVerified: false,
      passwordHash,
      createdAt: isoOf(now - 30 * DAY),
    });
  }
  await statusStore.record(
    people.map(({ id }, index) => ({
      userId: id as UserId,
      online: false,
      lastSeenAt: isoOf(now - (index + 1) * 17 * 60_000),
      changedAt: now - (index + 1) * 17 * 60_000,
    })),
  );
}

async function writeFriendships({ friendStore }: SqliteStores, now: number) {
  for (const id of [...friends, ...asking]) {
    const { outcome } = await friendStore.request({
      _id: uuidAt(now - DAY) as FriendshipId,
      requesterId: id as UserId,
      addresseeId: newcomer.id as UserId,
      createdAt: isoOf(now - DAY),
    });
    if (outcome !== 'requested') {
      throw new Error(`the demo database is not new: ${id} has a history`);
    }
  }
  for (const request of await friendStore.receivedRequests(newcomer.id as UserId, {
    limit: 100,
    offset: 0,
  })) {
    if ((friends as readonly string[]).includes(request.requesterId)) {
      await friendStore.answer(request._id, newcomer.id as UserId, 'accept');
    }
  }
}

async function writeConversation(
  { directoryStore, messageStore }: SqliteStores,
  { name, members, messages, unread }: PastConversation,
  now: number,
): Promise<void> {
  const times = messages.map((message) => timeOf(message, now));
  const began = (times[0] ?? now) - 60_000;
  const conversationId = uuidAt(began) as ConversationId;
  const record = {
    _id: conversationId,
    type: name === null ? ('direct_message' as const) : ('group' as const),
    name,
    createdAt: isoOf(began),
    updatedAt: isoOf(began),
  };
  const participants = members.map(
    (id, index): Membership => ({
      conversationId,
      userId: id as UserId,
      role: name !== null && index === 0 ? 'admin' : 'member',
      joinedAt: isoOf(began),
      readSeq: 0,
    }),
  );
  if (name === null) {
    const [one, other] = participants as [Membership, Membership];
    await directoryStore.openDirect(record, [one, other]);
  } else {
    await directoryStore.createGroup(record, participants);
  }
  const stored = messages.map(
    ({ from, text }, index): Message => ({
      // The index keeps messages of the same minute in order.
      _id: uuidAt((times[index] ?? now) + index) as MessageId,
      conversationId,
      seq: index + 1,
      senderId: from as UserId,
      content: text,
      clientMessageId: randomUUID() as ClientMessageId,
      reactions: [],
      createdAt: isoOf((times[index] ?? now) + index),
    }),
  );
  const { inserted } = await messageStore.insert(stored);
  if (inserted !== stored.length) {
    throw new Error('the demo database is not new: it has these messages');
  }
  for (const [index, { _id }] of stored.entries()) {
    const reactions = Object.entries(messages[index]?.reactions ?? {}) as [
      ReactionType,
      string[],
    ][];
    for (const [type, ids] of reactions) {
      for (const id of ids) {
        const step = { userId: id as UserId, type, requestId: randomUUID() };
        await messageStore.react(conversationId, _id, step);
      }
    }
  }
  for (const id of members) {
    const read = stored.length - (unread[id] ?? 0);
    await directoryStore.markRead(conversationId, id as UserId, read);
  }
}

function timeOf({ when }: PastMessage, now: number): number {
  if ('minutesAgo' in when) {
    return now - when.minutesAgo * 60_000;
  }
  const [hours = 0, minutes = 0] = when.at.split(':').map(Number);
  const time = new Date(now);
  time.setDate(time.getDate() - when.daysAgo);
  time.setHours(hours, minutes, 0, 0);
  return time.getTime();
}

function isoOf(time: number): string {
  return new Date(time).toISOString();
}

/** Ids of messages rise with their `seq`, and with the time in them. */
function uuidAt(time: number): string {
  const random = randomBytes(10);
  return UUID.fromFieldsV7(
    time,
    random.readUInt16BE(0) & 0xfff,
    random.readUInt32BE(2) & 0x3fffffff,
    random.readUInt32BE(6),
  ).toString();
}
