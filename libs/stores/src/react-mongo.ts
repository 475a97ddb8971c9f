import type { ConversationId, MessageId, Reaction } from '@bambochat/protocol';
import type { Collection, Filter } from 'mongodb';
import type { MessageDocument } from './mongo-collections.ts';
import { READ_TIMEOUT } from './mongo-database.ts';
import { exactly } from './mongo-filter.ts';
import { type ReactionStep, reactionsOf, toggleReaction } from './reaction-rules.ts';
import { untilUncontested } from './until-uncontested.ts';

/**
 * Compare and swap: reads, decides, and writes on the condition that nobody has written since. The
 * read is `local`, the newest there is: if that is ever rolled back, so is what was built on it.
 * Only an answer that changes nothing has to rest on what a majority has.
 */
export function reactToMessage(
  messages: Collection<MessageDocument>,
  conversationId: ConversationId,
  messageId: MessageId,
  step: ReactionStep,
): Promise<{ seq: number; reactions: Reaction[] } | 'absent' | 'full'> {
  const find = (level: 'local' | 'majority') =>
    messages.findOne(
      { _id: exactly(messageId) },
      {
        maxTimeMS: READ_TIMEOUT,
        readConcern: { level },
        projection: { conversationId: 1, seq: 1, reactors: 1, reactionRevision: 1 },
      },
    );
  return untilUncontested(async () => {
    const stored = await find('local');
    if (stored?.conversationId !== conversationId) {
      return 'absent';
    }
    const { seq, reactors = [], reactionRevision } = stored;
    const toggled = toggleReaction(reactors, step);
    if (toggled === 'full') {
      return 'full';
    }
    const { next } = toggled;
    if (next === undefined) {
      // Done before. Asked again until a majority has it, so that the answer cannot be rolled back.
      const settled = await find('majority');
      return settled?.reactionRevision === reactionRevision
        ? { seq, reactions: reactionsOf(reactors) }
        : undefined;
    }
    const same: Filter<MessageDocument> = {
      _id: messageId,
      reactionRevision: reactionRevision ?? { $exists: false },
    };
    const reactions = reactionsOf(next);
    const { matchedCount } = await messages.updateOne(same, {
      $set: { reactors: next, reactions, reactionRevision: (reactionRevision ?? 0) + 1 },
    });
    return matchedCount === 1 ? { seq, reactions } : undefined;
  });
}
