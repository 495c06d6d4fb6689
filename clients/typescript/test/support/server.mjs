// The server that the caller has started: STANDINGS_URL, STANDINGS_KEY. What STANDINGS_CONTROL names kills it and starts it again
// (POST /kill, POST /start).
import { createRequire } from "node:module";
import { Client } from "./client.mjs";

export const url = process.env.STANDINGS_URL;
export const key = process.env.STANDINGS_KEY;
const { WebSocket } = createRequire(import.meta.url)("ws");

/** Makes sockets that a test can cut. */
export class Cable {
  sockets = new Set();

  constructor() {
    const cable = this;
    this.WebSocket = class extends WebSocket {
      constructor(...parameters) {
        super(...parameters);
        cable.sockets.add(this);
        this.on("close", () => cable.sockets.delete(this));
      }
    };
  }

  cut() {
    for (const socket of this.sockets) socket.terminate();
  }
}

export const clientOf = (cable, options) => new Client(url, { WebSocket: cable.WebSocket, random: () => Math.random() / 10, ...options });

export async function control(what) {
  const answer = await fetch(`${process.env.STANDINGS_CONTROL}/${what}`, { method: "POST" });
  if (!answer.ok) throw new Error(`${what}: ${await answer.text()}`);
}

/** Resolves once `condition` holds of the view, which is looked at whenever it changes. */
export async function until(live, condition, what) {
  const deadline = Date.now() + 30_000;
  while (!condition(live)) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}; there is ${JSON.stringify(live.table ?? live.position)}, ${live.state}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function matches(actual, expected) {
  if (Array.isArray(expected)) {
    return Array.isArray(actual) && actual.length === expected.length && expected.every((each, at) => matches(actual[at], each));
  }
  if (typeof expected !== "object" || expected === null) return actual === expected;
  return Object.entries(expected).every(([name, value]) => matches(actual?.[name], value));
}
