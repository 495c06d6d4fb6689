// What the API takes and gives, named as on the wire. Answers may have more members than these.

/** A place in the ledger's order. Two of one epoch can be compared by `seq`. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** A player's place on a board. Never changed once it is given out. */
export interface Row {
  /** By the board's tie rule: several rows may share one. */
  readonly rank: number;
  /** 1, 2, 3 ..., always unique. */
  readonly position: number;
  readonly player: string;
  readonly name?: string;
  /** Of a board with one column. */
  readonly score?: number;
  /** Of a board with several columns, by their names. */
  readonly scores?: Readonly<Record<string, number>>;
  readonly reached_at: string;
  readonly meta?: Readonly<Record<string, unknown>>;
}

export interface Standings extends Position {
  readonly board: string;
  readonly period: string;
  readonly total: number;
  readonly rows: readonly Row[];
  readonly next_cursor?: string;
  readonly prev_cursor?: string;
}

export interface Column {
  readonly name: string;
  readonly order: "desc" | "asc";
  readonly decimals: number;
}

export interface Board extends Position {
  readonly id: string;
  /** Empty where it has none. */
  readonly title: string;
  readonly rule: "best" | "last" | "sum" | "first";
  readonly ties: "shared" | "earliest";
  readonly columns: readonly Column[];
  readonly visibility: "public" | "private";
  readonly state: "open" | "closed";
  readonly revision: number;
  readonly total: number;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface BoardList {
  readonly items: readonly Board[];
  readonly next_cursor?: string;
}

export interface Submission {
  player: string;
  name?: string | null;
  /** For a board with one column. */
  score?: number;
  /** For a board with several columns. */
  scores?: Record<string, number>;
  meta?: Record<string, unknown> | null;
  occurred_at?: string;
}

export interface Receipt extends Position {
  readonly outcome: "created" | "improved" | "unchanged" | "added" | "replaced";
  /** Absent where the entry was removed before this was answered. */
  readonly standing?: Row & { readonly seq: number };
  /** Absent when the entry was created. */
  readonly previous?: Pick<Row, "score" | "scores"> & { readonly rank?: number };
  readonly passed: readonly string[];
  readonly to_next?: number | Readonly<Record<string, number>>;
  readonly total: number;
}

/** What can be watched: the first rows, those around a player, or the player's own. */
export type View = { readonly top: number } | { readonly around: string; readonly span?: number } | { readonly player: string };

/** A submission that was accepted. */
export interface FeedItem {
  readonly board: string;
  readonly seq: number;
  /** What it changed; "unchanged": nothing. */
  readonly outcome: Receipt["outcome"];
  readonly player: string;
  readonly name?: string;
  /** What was submitted, whatever the entry has now. */
  readonly score?: number;
  readonly scores?: Readonly<Record<string, number>>;
  /** When, by the server's clock. */
  readonly at: string;
  /**
   * Where a feed is watched: others may be missing before this one, because the connection was lost for longer than the server
   * remembers, more came than a message holds, or the loop was too slow. Never elsewhere.
   */
  readonly gap?: boolean;
}

/** The last submissions, in order of `seq`. */
export interface Feed extends Position {
  /** Absent where it is of all public boards. */
  readonly board?: string;
  readonly items: readonly FeedItem[];
}

export interface FeedStart {
  /** How many of the last submissions come first: up to 100 (5); 0: only what comes from then on. */
  readonly last?: number;
}

/** The rows of a view at `seq`. A later state is another object, with other arrays. */
export interface Table extends Position {
  readonly total: number;
  readonly rows: readonly Row[];
}

export interface BoardEvent {
  readonly type: "event";
  readonly board: string;
  /** More kinds may come. */
  readonly kind: "leader" | "frozen" | "unfrozen" | "reset" | (string & {});
  /** The new leader. */
  readonly player?: string;
}
