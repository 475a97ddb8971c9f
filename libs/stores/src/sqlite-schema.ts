/**
 * The schema as a list of steps. `PRAGMA user_version` counts the steps a file has taken; a step
 * that was once released is never changed, only followed by another.
 *
 * Times are ISO 8601 text, which sorts as it should. Ids are compared byte by byte (BINARY), as
 * MongoDB does.
 */
export const schemaSteps: readonly string[] = [
  `
  CREATE TABLE messages (
    id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    sender_id TEXT NOT NULL,
    content TEXT NOT NULL,
    client_message_id TEXT NOT NULL,
    reactions TEXT NOT NULL,
    created_at TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX messages_by_seq ON messages (conversation_id, seq);
  CREATE UNIQUE INDEX messages_by_client_id
    ON messages (conversation_id, sender_id, client_message_id);

  CREATE TABLE heads (
    conversation_id TEXT NOT NULL PRIMARY KEY,
    last_seq INTEGER NOT NULL,
    content TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    created_at TEXT NOT NULL
  ) STRICT;

  CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_lower TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    display_name TEXT NOT NULL,
    bio TEXT NOT NULL,
    avatar TEXT,
    is_verified INTEGER NOT NULL,
    created_at TEXT NOT NULL
  ) STRICT;

  CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    current_token TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX sessions_by_expiry ON sessions (expires_at);

  CREATE TABLE conversations (
    id TEXT NOT NULL PRIMARY KEY,
    type TEXT NOT NULL,
    name TEXT,
    direct_key TEXT UNIQUE,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  ) STRICT;

  CREATE TABLE memberships (
    conversation_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL,
    joined_at TEXT NOT NULL,
    read_seq INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, user_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX memberships_in_order
    ON memberships (conversation_id, joined_at, position, user_id);
  CREATE INDEX memberships_of_user
    ON memberships (user_id, joined_at DESC, conversation_id DESC);
  `,
  // `pair` is both ids, in order, so that two users have one row. It is a request or a friendship:
  // who blocks whom has rows of its own, since both may, and no pair has rows in both tables.
  `
  CREATE TABLE friendships (
    pair TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    requester_id TEXT NOT NULL,
    addressee_id TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX friendships_by_id ON friendships (id);
  CREATE INDEX friendships_asked
    ON friendships (status, requester_id, created_at DESC, id DESC, addressee_id);
  CREATE INDEX friendships_asking
    ON friendships (status, addressee_id, created_at DESC, id DESC, requester_id);

  CREATE TABLE blocks (
    blocker_id TEXT NOT NULL,
    blocked_id TEXT NOT NULL,
    id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (blocker_id, blocked_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX blocks_in_order ON blocks (blocker_id, created_at DESC, id DESC, blocked_id);

  CREATE TABLE statuses (
    user_id TEXT NOT NULL PRIMARY KEY,
    online INTEGER NOT NULL,
    last_seen_at TEXT NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX statuses_online ON statuses (user_id) WHERE online = 1;

  CREATE TABLE alive (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at TEXT NOT NULL
  ) STRICT;
  `,
  // `reactors` is what `reactions` is made of; null where nobody reacted. `forgotten` is the newest
  // revision whose change is not kept any more.
  `
  ALTER TABLE messages ADD COLUMN reactors TEXT;

  CREATE TABLE journals (
    conversation_id TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    forgotten INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE changes (
    conversation_id TEXT NOT NULL,
    thing TEXT NOT NULL,
    revision INTEGER NOT NULL,
    change TEXT NOT NULL,
    PRIMARY KEY (conversation_id, thing)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX changes_in_order ON changes (conversation_id, revision);

  CREATE TABLE places (
    id TEXT NOT NULL,
    parity INTEGER NOT NULL,
    number INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    bytes BLOB NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (id, parity)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX places_of_user ON places (user_id, expires_at DESC, id);
  CREATE INDEX places_by_expiry ON places (expires_at);
  `,
  // When something was last appended; null in what was written before it was noted.
  `
  ALTER TABLE journals ADD COLUMN changed_at TEXT;
  `,
];
