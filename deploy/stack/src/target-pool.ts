/** A service process that the edge may send requests to. Identity counts: a restart is a new one. */
export interface Target {
  /** For logs. */
  readonly name: string;
  /** `http://host:port`. */
  readonly url: string;
}

export interface TargetPool {
  /** The targets to try, the best first: in turn, those that failed a moment ago last. */
  inOrder(): Target[];
  isAlive(target: Target): boolean;
  /** It failed just now. True when that is news. */
  suspect(target: Target): boolean;
}

/** Milliseconds that a target which failed goes to the end of the order. */
const SUSPICION = 5000;

/** @param alive the processes that run just now. */
export function createTargetPool(alive: () => readonly Target[]): TargetPool {
  const suspectUntil = new WeakMap<Target, number>();
  let turn = 0;

  function isSuspect(target: Target): boolean {
    return (suspectUntil.get(target) ?? 0) > performance.now();
  }

  return {
    inOrder() {
      const targets = alive();
      const first = turn % Math.max(targets.length, 1);
      turn = first + 1;
      const rotated = [...targets.slice(first), ...targets.slice(0, first)];
      return [
        ...rotated.filter((target) => !isSuspect(target)),
        ...rotated.filter((target) => isSuspect(target)),
      ];
    },
    isAlive(target) {
      return alive().includes(target);
    },
    suspect(target) {
      const news = !isSuspect(target);
      suspectUntil.set(target, performance.now() + SUSPICION);
      return news;
    },
  };
}
