import { AppError, unavailable } from '@bambochat/protocol';
import {
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoError,
  MongoExpiredSessionError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerClosedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoStalePrimaryError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
  type WriteError,
} from 'mongodb';

const DUPLICATE_KEY = 11000;

/** The server's own codes that say "not now": the same call may succeed later. */
const transientCodes = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  24, // LockTimeout
  43, // CursorNotFound: the server that held the cursor is gone
  50, // MaxTimeMSExpired
  63, // StaleShardVersion
  64, // WriteConcernTimeout: written, but not known to a majority
  79, // UnknownReplWriteConcern
  89, // NetworkTimeout
  91, // ShutdownInProgress
  100, // UnsatisfiableWriteConcern
  112, // WriteConflict
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  150, // StaleEpoch
  189, // PrimarySteppedDown
  262, // ExceededTimeLimit
  391, // Reauthenticate
  9001, // SocketException
  10058, // LegacyNotPrimary
  10107, // NotWritablePrimary
  11600, // InterruptedAtShutdown
  11601, // Interrupted
  11602, // InterruptedDueToReplStateChange
  13388, // StaleConfig
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
  14031, // OutOfDiskSpace
]);

/** The server's codes that refuse everything of ours, whatever it is: no message is at fault. */
const refusalCodes = new Set([
  13, // Unauthorized
  18, // AuthenticationFailed
  8000, // AtlasError: a quota of the hosted service
]);

const transientLabels = [
  'RetryableWriteError',
  'RetryableError',
  'SystemOverloadedError',
  'TransientTransactionError',
];

const transientClasses = [
  MongoClientClosedError,
  MongoExpiredSessionError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerClosedError,
  MongoServerSelectionError,
  MongoStalePrimaryError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
];

/** Classes that the driver does not export. */
const transientNames = new Set(['MongoWaitQueueTimeoutError', 'MongoPoolClosedError']);

/** True when the server cannot be reached, cannot write now, or the outcome of a write is unknown. */
export function isTransientMongoError(thrown: unknown): boolean {
  const error = unwrapped(thrown);
  if (!(error instanceof MongoError)) {
    return isSocketError(error);
  }
  return (
    transientClasses.some((type) => error instanceof type) ||
    transientNames.has(error.name) ||
    transientLabels.some((label) => error.hasErrorLabel(label)) ||
    transientCodes.has(Number(error.code)) ||
    (error instanceof MongoBulkWriteError && error.result.getWriteConcernError() !== undefined)
  );
}

/** A bulk write packs what went wrong on its way, such as a broken connection, into its own error. */
function unwrapped(error: unknown): unknown {
  return error instanceof MongoBulkWriteError && error.errorResponse instanceof Error
    ? error.errorResponse
    : error;
}

/**
 * Writing to a connection that is just breaking, the driver lets the socket's own error through: of
 * the system (`write EPIPE`, with a `syscall`), or of Node, which has seen the end of the stream.
 */
function isSocketError(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') {
    return false;
  }
  return 'syscall' in error || /^(EPIPE$|ECONN|ERR_STREAM_|ERR_SOCKET_)/.test(error.code);
}

/** A unique index refused a single write. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/**
 * The writes of a bulk that unique indexes refused, when that is all that went wrong: the others
 * are stored as the write concern asks. Undefined when anything else happened.
 */
export function duplicatesOf(error: unknown): readonly WriteError[] | undefined {
  if (!(error instanceof MongoBulkWriteError) || isTransientMongoError(error)) {
    return undefined;
  }
  const refused = [error.writeErrors].flat();
  return refused.length > 0 && refused.every(({ code }) => code === DUPLICATE_KEY)
    ? refused
    : undefined;
}

/** Credentials or quotas are being changed. At the start that is an error; later it may be over. */
function isRefusal(error: unknown): boolean {
  return error instanceof MongoServerError && refusalCodes.has(Number(error.code));
}

/**
 * Does `work`, and gives what the driver throws the meaning that the ports promise.
 *
 * @throws AppError `UNAVAILABLE` for whatever may be over later; other errors as they are.
 */
export async function speakingToMongo<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError || !(isTransientMongoError(error) || isRefusal(error))) {
      throw error;
    }
    throw unavailable('Storage', error);
  }
}
