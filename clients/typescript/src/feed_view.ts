import { mergeFeed, type FeedState } from "./merge_feed.js";
import type { FeedItem, FeedStart, Position } from "./types.js";
import { lastOf, serverFeed } from "./view.js";
import { call, WatchedView, type ViewHandlers } from "./watched_view.js";

// For a loop that has not come to them yet.
const MOST_KEPT = 1_000;

export interface FeedHandlers extends ViewHandlers {
  /** Submissions that have come, in order of `seq`, each once; at first the last ones of before. */
  onItems?(items: readonly FeedItem[]): void;
}

/**
 * The submissions of a board, or of all public ones, that are watched until the view is closed. Use the handlers, or loop over
 * it: the loop gets each one. For a loop that is slower than they come the newest 1,000 are kept; the one after those that it
 * has missed has a `gap`. Leaving the loop closes the view.
 */
export class FeedView extends WatchedView<FeedState> implements AsyncIterable<FeedItem> {
  declare protected readonly handlers: FeedHandlers;
  private latest: FeedState | undefined;
  private kept: readonly FeedItem[] = [];
  private count = 0; // of all that have come

  /** Made by `Client.feed`. */
  constructor(
    board: string | undefined,
    readonly start: FeedStart,
    handlers: FeedHandlers,
    leave: (view: WatchedView) => void,
    signal: AbortSignal | undefined,
  ) {
    super({ board, view: serverFeed(start), merge: mergeFeed }, handlers, leave, signal);
  }

  /** Up to here everything has come; `undefined` before the first answer. */
  get position(): Position | undefined {
    return this.latest && { epoch: this.latest.epoch, seq: this.latest.seq };
  }

  [Symbol.asyncIterator](): AsyncIterator<FeedItem> {
    let seen = 0;
    return this.loop(() => {
      const forgotten = this.count - this.kept.length;
      const isBehind = seen < forgotten;
      if (isBehind) seen = forgotten;
      const item = this.kept[seen - forgotten];
      if (item) ++seen;
      return item && isBehind ? { ...item, gap: true } : item;
    });
  }

  /** @internal */
  take(feed: FeedState): void {
    if (this.state === "closed") return;
    const items = this.latest ? feed.items.slice(feed.known) : lastOf(feed.items, this.start);
    this.latest = feed;
    if (items.length === 0) return;
    this.kept = [...this.kept, ...items].slice(-MOST_KEPT);
    this.count += items.length;
    call(() => this.handlers.onItems?.(items));
    this.wake();
  }
}
