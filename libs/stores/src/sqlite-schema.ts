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
];
