// The messages of a live connection (docs/live.md).
import type { ProblemBody } from "./problem.js";
import type { BoardEvent, FeedItem, Row } from "./types.js";

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

/** The last items of a feed. */
export interface FeedSnapshot {
  readonly view: string;
  readonly type: "snapshot";
  readonly epoch: string;
  readonly seq: number;
  readonly items: readonly FeedItem[];
}

/** The items that came since `prev`. */
export interface FeedDelta {
  readonly view: string;
  readonly type: "delta";
  readonly prev: number;
  readonly seq: number;
  /** There were more than these, which are the newest. */
  readonly gap?: boolean;
  readonly items: readonly FeedItem[];
}

/** Nothing has changed until `seq`. */
export interface Beat {
  readonly view: string;
  readonly type: "beat";
  readonly seq: number;
}

export type Frame = Snapshot | Delta | Beat;
export type FeedFrame = FeedSnapshot | FeedDelta | Beat;

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

export type Message = Answer | Frame | FeedFrame | BoardEvent | Bye;
