import type { Problem } from "./problem.js";
import type { BoardEvent, Table, View } from "./types.js";
import { narrow, sameRows } from "./view.js";

/**
 * - `connecting`: there are no rows yet
 * - `live`: the rows are those of the server
 * - `reconnecting`: the connection was lost; the rows are the last ones that came
 * - `closed`: it has ended, by `close()`, its signal or a `problem`
 */
export type LiveState = "connecting" | "live" | "reconnecting" | "closed";

export interface LiveHandlers {
  /** The rows have changed; `before` is what the last call had. The first call comes with the first rows, also when there are none. */
  onRows?(table: Table, before: Table | undefined): void;
  /** Something happened to the board: another leader, frozen, reset. */
  onEvent?(event: BoardEvent): void;
  onState?(state: LiveState): void;
  /** The server refuses the view: it has ended. */
  onError?(problem: Problem): void;
}

/**
 * A view that is watched until it is closed. Use the handlers, or loop over it: the loop gets each state of the rows, or,
 * where it is slower than they change, the newest; leaving the loop closes the view.
 */
export class LiveView implements AsyncIterable<Table> {
  private now: LiveState = "connecting";
  private latest: Table | undefined;
  private failure: Problem | undefined;
  private readonly waiting = new Set<() => void>();

  /** Made by `Client.live`. */
  constructor(
    readonly board: string,
    readonly view: View,
    private readonly handlers: LiveHandlers,
    private readonly leave: (view: LiveView) => void,
    private readonly signal: AbortSignal | undefined,
  ) {
    signal?.addEventListener("abort", this.close, { once: true });
  }

  get state(): LiveState {
    return this.now;
  }
  /** The newest rows; `undefined` before the first have come. */
  get table(): Table | undefined {
    return this.latest;
  }
  /** Why the server has ended it. */
  get problem(): Problem | undefined {
    return this.failure;
  }

  readonly close = (): void => {
    if (this.now === "closed") return;
    this.signal?.removeEventListener("abort", this.close);
    this.leave(this);
    this.enter("closed");
  };

  async *[Symbol.asyncIterator](): AsyncIterator<Table> {
    try {
      let seen: Table | undefined;
      for (;;) {
        if (this.latest && this.latest.rows !== seen?.rows) {
          seen = this.latest;
          yield seen;
        } else if (this.failure) {
          throw this.failure;
        } else if (this.now === "closed") {
          return;
        } else {
          await new Promise<void>((resolve) => this.waiting.add(resolve));
        }
      }
    } finally {
      this.close();
    }
  }

  // --- for the connection

  /** @internal */
  enter(state: LiveState): void {
    if (this.now === state || this.now === "closed") return;
    this.now = state;
    call(() => this.handlers.onState?.(state));
    this.wake();
  }

  /** @internal */
  take(table: Table): void {
    if (this.now === "closed") return;
    const before = this.latest;
    const rows = narrow(table.rows, this.view);
    const changed = !before || !sameRows(before.rows, rows);
    const latest = { ...table, rows: changed ? rows : before.rows };
    this.latest = latest;
    if (!changed) return;
    call(() => this.handlers.onRows?.(latest, before));
    this.wake();
  }

  /** @internal */
  hear(event: BoardEvent): void {
    call(() => this.handlers.onEvent?.(event));
  }

  /** @internal */
  fail(problem: Problem): void {
    if (this.now === "closed") return;
    this.failure = problem;
    this.close();
    call(() => this.handlers.onError?.(problem));
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}

// A handler that throws is its author's to hear of; the views of others go on.
function call(handler: () => void): void {
  try {
    handler();
  } catch (failure) {
    queueMicrotask(() => {
      throw failure;
    });
  }
}
