import type { FeedItem, FeedStart, Row, View } from "./types.js";

const TOPS = [10, 25, 50, 100];
const SPANS = [3, 5, 10];
const USUAL_SPAN = 5;
const FEEDS = [5, 10, 20, 50, 100];
const USUAL_LAST = 5;

const roundUp = (sizes: readonly number[], size: number) => sizes.find((each) => each >= size) ?? size;

/** The view of the sizes that the server has: those that come out alike are one view there, whoever asks. */
export function serverView(view: View): View {
  if ("top" in view) return { top: roundUp(TOPS, view.top) };
  if ("around" in view) return { around: view.around, span: roundUp(SPANS, view.span ?? USUAL_SPAN) };
  return { player: view.player };
}

export function serverFeed({ last = USUAL_LAST }: FeedStart): { readonly feed: number } {
  return { feed: roundUp(FEEDS, last) };
}

/** Of the rows that the server tells, those that were asked for. */
export function narrow(rows: readonly Row[], view: View): readonly Row[] {
  if ("top" in view) return rows.length > view.top ? rows.slice(0, view.top) : rows;
  if (!("around" in view)) return rows;
  const at = rows.findIndex((row) => row.player === view.around);
  const span = view.span ?? USUAL_SPAN;
  const first = Math.max(0, at - span);
  return at < 0 || (first === 0 && at + span + 1 >= rows.length) ? rows : rows.slice(first, at + span + 1);
}

/** Of the items that the server tells first, those that were asked for. */
export const lastOf = (items: readonly FeedItem[], { last = USUAL_LAST }: FeedStart) => items.slice(Math.max(0, items.length - last));

export const sameRows = (one: readonly Row[], other: readonly Row[]) =>
  one.length === other.length && one.every((row, at) => row === other[at]);
