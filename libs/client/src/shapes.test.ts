import type * as protocol from '@bambochat/protocol';
import { describe, expectTypeOf, test } from 'vitest';
import type * as shapes from './shapes.ts';

/** Ids are branded in the protocol, to keep services from mixing them up; here they are strings. */
type Plain<T> = T extends string
  ? // A string that is an object, too, has a brand.
    T extends object
    ? string
    : T
  : T extends readonly (infer Item)[]
    ? Plain<Item>[]
    : T extends object
      ? { [Key in keyof T]: Plain<T[Key]> }
      : T;

describe('the published types say what the protocol says', () => {
  test('checked by the compiler', () => {
    expectTypeOf<Plain<shapes.Message>>().toEqualTypeOf<Plain<protocol.Message>>();
    expectTypeOf<Plain<shapes.MessagesPage>>().toEqualTypeOf<Plain<protocol.MessagesPage>>();
    expectTypeOf<Plain<shapes.SyncAnswer>>().toEqualTypeOf<Plain<protocol.SyncAnswer>>();
    expectTypeOf<Plain<shapes.Conversation>>().toEqualTypeOf<Plain<protocol.Conversation>>();
    expectTypeOf<Plain<shapes.User>>().toEqualTypeOf<Plain<protocol.User>>();
    expectTypeOf<Plain<shapes.OwnUser>>().toEqualTypeOf<Plain<protocol.OwnUser>>();
    expectTypeOf<Plain<shapes.FriendRequest>>().toEqualTypeOf<Plain<protocol.FriendRequestEvent>>();
    expectTypeOf<Plain<shapes.LoginAnswer>>().toEqualTypeOf<Plain<protocol.LoginAnswer>>();
    expectTypeOf<Plain<shapes.OnlineStatus>>().toEqualTypeOf<Plain<protocol.OnlineStatus>>();
    expectTypeOf<Plain<shapes.ReadUpdate>>().toEqualTypeOf<Plain<protocol.MessageReadUpdate>>();
    expectTypeOf<Plain<shapes.ReactionUpdate>>().toEqualTypeOf<Plain<protocol.ReactionUpdate>>();
    expectTypeOf<Plain<shapes.FriendRequestUpdate>>().toEqualTypeOf<
      Plain<protocol.FriendRequestUpdate>
    >();
  });
});
