import { merge } from "./merge.js";
import type { Table, View } from "./types.js";
import { narrow, sameRows, serverView } from "./view.js";
import { call, WatchedView, type ViewHandlers } from "./watched_view.js";

export interface LiveHandlers extends ViewHandlers {
  /** The rows have changed; `before` is what the last call had. The first call comes with the first rows, also when there are none. */
  onRows?(table: Table, before: Table | undefined): void;
}

/**
 * The rows of a board that are watched until the view is closed. Use the handlers, or loop over it: the loop gets each state of
 * the rows, or, where it is slower than they change, the newest; leaving the loop closes the view.
 */
export class LiveView extends WatchedView<Table> implements AsyncIterable<Table> {
  // Of the base, and more is known of them here.
  declare readonly board: string;
  declare protected readonly handlers: LiveHandlers;
  private latest: Table | undefined;

  /** Made by `Client.live`. */
  constructor(
    board: string,
    readonly view: View,
    handlers: LiveHandlers,
    leave: (view: WatchedView) => void,
    signal: AbortSignal | undefined,
  ) {
    super({ board, view: serverView(view), merge }, handlers, leave, signal);
  }

  /** The newest rows; `undefined` before the first have come. */
  get table(): Table | undefined {
    return this.latest;
  }

  [Symbol.asyncIterator](): AsyncIterator<Table> {
    let seen: Table | undefined;
    return this.loop(() => (this.latest?.rows === seen?.rows ? undefined : (seen = this.latest)));
  }

  /** @internal */
  take(table: Table): void {
    if (this.state === "closed") return;
    const before = this.latest;
    const rows = narrow(table.rows, this.view);
    const changed = !before || !sameRows(before.rows, rows);
    const latest = { ...table, rows: changed ? rows : before.rows };
    this.latest = latest;
    if (!changed) return;
    call(() => this.handlers.onRows?.(latest, before));
    this.wake();
  }
}
