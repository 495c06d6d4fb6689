import type { Frame } from "./frames.js";
import type { LiveState, LiveView } from "./live_view.js";
import { merge } from "./merge.js";
import type { Position, Table, View } from "./types.js";

/** A view on the connection, with the rows as they are merged, for all who look at it. */
export class Watch {
  readonly views = new Set<LiveView>();
  /** Of the message that asks for it, until the answer. */
  asked: number | undefined;
  /** Its name, which the server's frames carry. Undefined: the server does not know of it now. */
  name: string | undefined;
  private table: Table | undefined;
  private state: LiveState = "connecting";

  constructor(
    readonly key: string,
    readonly board: string,
    readonly view: View,
    public rate: number,
  ) {}

  /** What it has already. */
  get since(): Position | undefined {
    return this.table && { epoch: this.table.epoch, seq: this.table.seq };
  }

  add(view: LiveView): void {
    this.views.add(view);
    // Not before the caller has the view in hand.
    queueMicrotask(() => {
      if (this.table) view.take(this.table);
      view.enter(this.state);
    });
  }

  /** The server will send what follows; `recovered`: from where this is. */
  welcome(name: string, recovered: boolean): void {
    this.asked = undefined;
    this.name = name;
    if (recovered) this.enter("live");
  }

  /** The server sends nothing more. */
  lose(): void {
    this.asked = this.name = undefined;
    this.enter(this.table ? "reconnecting" : "connecting");
  }

  /** False: something is missing before this frame. */
  take(frame: Frame): boolean {
    const next = merge(this.table, frame);
    if (!next) return false;
    this.table = next;
    for (const view of [...this.views]) view.take(next);
    if (frame.type === "snapshot") this.enter("live");
    return true;
  }

  private enter(state: LiveState): void {
    this.state = state;
    for (const view of [...this.views]) view.enter(state);
  }
}
