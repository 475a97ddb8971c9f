/**
 * Ephemeral messages between services: publish to whoever listens now, and request one answer.
 *
 * Delivery: at most once, to subscribers that are connected at that moment. Order: events of one
 * publisher on one subject arrive in order. Payloads are JSON values; a payload that is not JSON is
 * counted and dropped before it reaches a handler. Handlers check what they get with a schema.
 *
 * Subjects are dot-separated tokens; a subscription may use `*` for one token and `>` for the rest.
 * A malformed subject is a bug of the caller and throws a TypeError: a broker may answer it by
 * closing the connection that everything else shares.
 */
export interface EventBus {
  /** Never rejects and never waits for listeners; an event that cannot leave is dropped. */
  publish(subject: string, payload: unknown): void;

  /** With `queue`, each event goes to one member of the queue group only. */
  subscribe(
    subject: string,
    handler: (payload: unknown, subject: string) => void,
    options?: { queue?: string },
  ): Subscription;

  /**
   * Asks one of the responders.
   * @throws AppError `UNAVAILABLE` when nobody answers within `timeout` ms (default 2000), and the
   *   responder's AppError when it answered with one.
   */
  request(subject: string, payload: unknown, options?: { timeout?: number }): Promise<unknown>;

  /**
   * Answers requests; members of one `queue` share them. What the handler throws reaches the caller
   * as a wire error. At most `concurrency` (default 256) run at once; beyond that the caller gets
   * `OVERLOADED` at once.
   */
  respond(
    subject: string,
    handler: (payload: unknown) => Promise<unknown>,
    options: { queue: string; concurrency?: number },
  ): Subscription;

  /**
   * Resolves with true when subscriptions made before are active and events published before have
   * reached the broker; with false when that is not known: it is away, or takes more than 5 s.
   */
  flush(): Promise<boolean>;

  /**
   * Told after a connection to the other services was lost and is back: events in between were
   * missed. The memory bus never calls it.
   */
  onReconnect(listener: () => void): Subscription;
}

export interface Subscription {
  unsubscribe(): void;
}
