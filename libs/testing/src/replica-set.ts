/** MongoDB's code for `replSetInitiate` on a member that has a configuration. */
const alreadyInitialized = 23;

interface ReplicaSetConfig {
  version: number;
  members: { host: string }[];
}

/**
 * Makes a `mongod --replSet bambochat` a replica set of one that calls itself `host`; transactions
 * and change streams exist on replica sets only. A data folder that was used under another port
 * before is moved to this one. Harmless when nothing is left to do.
 */
export async function initiateReplicaSet(url: string, host: string): Promise<void> {
  const { MongoClient, MongoServerError } = await import('mongodb');
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 2_000 });
  try {
    const admin = client.db('admin');
    const members = [{ _id: 0, host }];
    try {
      await admin.command({ replSetInitiate: { _id: 'bambochat', members } });
    } catch (error) {
      if (!(error instanceof MongoServerError && error.code === alreadyInitialized)) {
        throw error;
      }
      const answer = await admin.command({ replSetGetConfig: 1 });
      const config: ReplicaSetConfig = answer.config;
      if (config.members[0]?.host !== host) {
        await admin.command({
          replSetReconfig: { ...config, version: config.version + 1, members },
          force: true,
        });
      }
    }
  } finally {
    await client.close();
  }
}
