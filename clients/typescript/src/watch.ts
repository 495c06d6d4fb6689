import type { FeedFrame, Frame } from "./frames.js";
import type { Position } from "./types.js";
import type { Asked, LiveState, WatchedView } from "./watched_view.js";

/** A view on the connection, with what it shows, for all who look at it. */
export class Watch {
  readonly views = new Set<WatchedView>();
  /** Of the message that asks for it, until the answer. */
  asked: number | undefined;
  /** Its name, which the server's frames carry. Undefined: the server does not know of it now. */
  name: string | undefined;
  private readonly newcomers = new Set<WatchedView>();
  private shown: Position | undefined;
  private state: LiveState = "connecting";

  constructor(
    readonly key: string,
    readonly asks: Asked<Position>,
    public rate: number,
  ) {}

  /** What it has already. */
  get since(): Position | undefined {
    return this.shown && { epoch: this.shown.epoch, seq: this.shown.seq };
  }

  add(view: WatchedView): void {
    this.views.add(view);
    this.newcomers.add(view);
    // Not before the caller has the view in hand.
    queueMicrotask(() => this.greet());
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
    this.enter(this.shown ? "reconnecting" : "connecting");
  }

  /** False: something is missing before this frame. */
  take(frame: Frame | FeedFrame): boolean {
    const next = this.asks.merge(this.shown, frame);
    if (!next) return false;
    this.greet();
    this.shown = next;
    for (const view of [...this.views]) view.take(next);
    if (frame.type === "snapshot") this.enter("live");
    return true;
  }

  /** Who is new gets what there is, before anything that comes. */
  private greet(): void {
    for (const view of this.newcomers) {
      this.newcomers.delete(view);
      if (this.shown) view.take(this.shown);
      view.enter(this.state);
    }
  }

  private enter(state: LiveState): void {
    this.state = state;
    for (const view of [...this.views]) view.enter(state);
  }
}
