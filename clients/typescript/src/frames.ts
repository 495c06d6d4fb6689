// The messages of a live connection (docs/live.md).
import type { ProblemBody } from "./problem.js";
import type { BoardEvent, Row } from "./types.js";

export interface Snapshot {
  readonly view: string;
  readonly type: "snapshot";
  readonly epoch: string;
  readonly seq: number;
  readonly total: number;
  readonly rows: readonly Row[];
}

export interface Delta {
  readonly view: string;
  readonly type: "delta";
  /** The seq of the rows that it applies to. */
  readonly prev: number;
  readonly seq: number;
  readonly total: number;
  readonly upsert: readonly Row[];
  readonly leave: readonly string[];
}

/** Nothing has changed until `seq`. */
export interface Beat {
  readonly view: string;
  readonly type: "beat";
  readonly seq: number;
}

export type Frame = Snapshot | Delta | Beat;

export interface Bye {
  readonly type: "bye";
  readonly retry_after_ms: number;
}

/** To a message of ours with this `id`. */
export interface Answer {
  readonly id: number;
  readonly ok: boolean;
  readonly view?: string;
  readonly recovered?: boolean;
  readonly problem?: ProblemBody;
}

export type Message = Answer | Frame | BoardEvent | Bye;
