import type { FeedFrame } from "./frames.js";
import type { Feed, FeedItem } from "./types.js";

// Kept for who joins: as many as a message of the server has at most.
const MOST_KEPT = 100;

/** What a feed has told: its last items. */
export interface FeedState extends Feed {
  /** How many of the items were there before the last frame. */
  readonly known: number;
  /** Something may be missing before the item that comes next. */
  readonly gap: boolean;
}

/**
 * The feed after a frame; each item comes once, in order of `seq`. `undefined`: the frame does not follow from it, so the view has
 * to be watched again.
 */
export function mergeFeed(feed: FeedState | undefined, frame: FeedFrame): FeedState | undefined {
  if (frame.type === "snapshot") {
    const { epoch, seq, items } = frame;
    if (!feed) return { epoch, seq, items, known: 0, gap: false };
    if (epoch !== feed.epoch) return add({ ...feed, epoch, items: [] }, seq, items, true);
    // A snapshot is without holes: one that goes back to what was known leaves out nothing after it.
    const isJoined = seq <= feed.seq || items.some((item) => item.seq <= feed.seq);
    return add(feed, seq, items, !isJoined);
  }
  if (!feed) return undefined;
  if (frame.type === "beat") return add(feed, frame.seq, [], false);
  return frame.prev === feed.seq ? add(feed, frame.seq, frame.items, frame.gap === true) : undefined;
}

function add(feed: FeedState, seq: number, items: readonly FeedItem[], isGap: boolean): FeedState {
  const last = feed.items[feed.items.length - 1]?.seq ?? 0;
  const [first, ...others] = items.filter((item) => item.seq > last);
  const gap = isGap || feed.gap;
  if (!first) return { epoch: feed.epoch, seq, items: feed.items, known: feed.items.length, gap };
  const added = [gap ? { ...first, gap } : first, ...others];
  const all = [...feed.items, ...added].slice(-Math.max(MOST_KEPT, added.length));
  return { epoch: feed.epoch, seq, items: all, known: all.length - added.length, gap: false };
}
