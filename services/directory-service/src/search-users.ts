import type { User } from '@bambochat/protocol';
import type { DirectoryStore } from '@bambochat/stores';

const FOUND_MAX = 20;

/** Users whose id begins with `prefix`, by id. What others may see of them. */
export async function searchUsers(
  { directoryStore }: { directoryStore: DirectoryStore },
  prefix: string,
): Promise<User[]> {
  return directoryStore.searchProfiles(prefix, FOUND_MAX);
}
