// The built client that STANDINGS_CLIENT names, or that of this package, and the cases for clients in any language.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const built = process.env.STANDINGS_CLIENT ? pathToFileURL(process.env.STANDINGS_CLIENT).href : "../../dist/index.js";

export const { Client, Problem, merge, mergeFeed } = await import(built);
export const conformance = JSON.parse(readFileSync(new URL("../../../conformance.json", import.meta.url), "utf8"));

/** A view as a case names it. */
export function watch(client, board, view, handlers) {
  return "feed" in view ? client.feed(board, { last: view.feed }, handlers) : client.live(board, view, handlers);
}

/** Items as a case names them: without a gap where it does not say so. */
export const withGaps = (items) => items.map((item) => ({ gap: undefined, ...item }));
