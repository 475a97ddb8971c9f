import type { Backends } from '@bambochat/testing';
import type { Program } from '../src/program.ts';
import type { StackTarget } from '../src/stack-target.ts';
import type { Target } from '../src/target.ts';
import type { CheckedLoad } from './checked-load.ts';

/** One entry of the list in which the numbers are the ids. */
export interface Fault {
  readonly id: number;
  /** What breaks, in a few words; a row of the table. */
  readonly name: string;
  /** Faults with the same system follow each other on one, as long as they leave it whole. */
  readonly system: SystemKind;
  /**
   * Whether every message that was handed to a connected socket and not answered by an error must be
   * stored: true where the fault leaves clients, gateways and NATS alone.
   */
  readonly everySendCounts?: boolean;
  /** Where clients connect. Default: the edge of the stack, or standalone. */
  readonly load?: Partial<LoadOptions>;
  /**
   * Breaks something while the load is on, and mends it. Resolves when there is nothing left to mend:
   * from `healed()`, else from here on recovery is measured.
   *
   * @throws FaultSkipped when this machine does not allow it
   * @throws Error when the fault did not happen as it should: that is no result
   */
  run(context: FaultContext): Promise<void>;
}

/**
 * - `stack`: 2 gateways, 2 message-services, 2 presence-services, services that die are started again
 * - `standalone`: one process on a data folder
 * - `own`: the fault starts it itself, by `start`
 */
export type SystemKind = 'stack' | 'standalone' | { readonly start: () => Promise<System> };

/** What a fault can break. */
export interface System extends AsyncDisposable {
  readonly target: Target;
  /** Null on standalone. */
  readonly stack: StackTarget | null;
  readonly backends: Backends | null;
  /** The one process of standalone; null on the stack. */
  readonly standalone: StandaloneProcess | null;
  /**
   * Starts one more service of this kind beside the stack, with the stack's environment and these
   * variables, and resolves when it is ready. Ends with the system.
   */
  startMember(
    kind: ServiceKind,
    env?: Record<string, string>,
    /** Command in front, such as `['ip', 'netns', 'exec', name]`. */
    through?: readonly string[],
  ): Promise<ExtraMember>;
}

export type ServiceKind = 'socket-gateway' | 'message-service' | 'presence-service';

export interface ExtraMember {
  readonly url: string;
  readonly pid: number;
  /** Log entries so far with this `msg`. */
  entries(message: string): readonly Record<string, unknown>[];
  readonly exited: Promise<unknown>;
}

export interface StandaloneProcess {
  readonly program: Program;
  readonly dataDir: string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** On the same port and data. */
  restart(): Promise<void>;
}

export interface FaultContext {
  readonly system: System;
  readonly load: CheckedLoad;
  /** What shows that the fault happened; printed with the result. */
  evidence(text: string): void;
  /** The fault is over from now on, though `run` still looks at something. The last call counts. */
  healed(): void;
}

export interface LoadOptions {
  /** Address for the n-th client. */
  readonly urlOf: (client: number) => string;
  /** Messages a second of each sending client. */
  readonly rate: number;
  /** Bytes of text in each message, about. */
  readonly textLength: number;
  /** Milliseconds until all have recovered, and until all lists are the same. */
  readonly patience: number;
}

/** This machine does not allow the fault; the message says what is missing. */
export class FaultSkipped extends Error {
  override readonly name = 'FaultSkipped';
}
