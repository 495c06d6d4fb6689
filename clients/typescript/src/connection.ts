import type { Answer, FeedFrame, Frame, Message } from "./frames.js";
import { Problem, type ProblemBody } from "./problem.js";
import type { BoardEvent } from "./types.js";
import { backoff } from "./wait.js";
import { Watch } from "./watch.js";
import type { WatchedView } from "./watched_view.js";

const PROTOCOL = "standings.v1";
const MOST_WATCHES = 64;
const FIRST_WAIT = 1_000;
const MOST_WAIT = 15_000;
const CONNECT_TIMEOUT = 10_000;
// A connection that is silent for longer is asked for a sign of life, and after as much again taken for dead: a network that
// is gone does not always say so.
const SILENCE = 20_000;
// What trying again does not mend.
const FINAL_CLOSES: Readonly<Record<number, ProblemBody>> = {
  4401: { status: 401, code: "unauthenticated", title: "The key is not known" },
  4403: { status: 403, code: "forbidden", title: "The key does not allow this" },
  4409: { status: 429, code: "too_many_watches", title: "Too many views are watched over one connection" },
};
// As of a connection that broke without a word.
const NO_CLOSE = 1006;

/** As much of a WebSocket as is needed: that of browsers and Node 22, or of the package `ws`. */
export interface Socket {
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}
export type SocketConstructor = new (url: string, protocol: string) => Socket;

type Timer = ReturnType<typeof setTimeout>;

/** One WebSocket for all views. It is there while something is watched, and comes back by itself. */
export class Connection {
  private socket: Socket | undefined;
  private isOpen = false;
  private silentFor = 0; // turns of the timer
  private timer: Timer | undefined; // until the next try, or of the connection itself
  private attempts = 0; // that have failed since something was watched
  private wait: number | undefined; // which the server has asked for
  private lastId = 0;
  private authId: number | undefined;
  private readonly watches = new Map<string, Watch>(); // by what they ask for
  private readonly asked = new Map<number, Watch>();

  constructor(
    private readonly url: string,
    private readonly key: string | undefined,
    private readonly makeSocket: (url: string, protocol: string) => Socket,
    private readonly random: () => number,
  ) {}

  watch(view: WatchedView, rate: number): void {
    const { asks } = view;
    const key = JSON.stringify([asks.board, asks.view]);
    const present = this.watches.get(key);
    if (!present && this.watches.size >= MOST_WATCHES) {
      throw new RangeError(`at most ${MOST_WATCHES} views can be watched at once`);
    }
    if (!this.socket && this.timer === undefined) this.connect();
    const watch = present ?? new Watch(key, asks, rate);
    this.watches.set(key, watch);
    watch.add(view);
    if (!present || rate > watch.rate) {
      watch.rate = rate;
      if (this.isOpen) this.ask(watch);
    }
  }

  unwatch(view: WatchedView): void {
    for (const watch of this.watches.values()) {
      if (!watch.views.delete(view) || watch.views.size > 0) continue;
      this.watches.delete(watch.key);
      if (this.watches.size === 0) return this.end();
      // One that is still asked for is given up when its answer comes.
      if (watch.name !== undefined && watch.asked === undefined) this.send({ op: "unwatch", view: watch.name });
    }
  }

  // --- the socket

  private readonly connect = (): void => {
    clearTimeout(this.timer);
    const socket = this.makeSocket(this.url, PROTOCOL);
    this.socket = socket;
    this.timer = setTimeout(() => this.drop(), CONNECT_TIMEOUT);
    socket.onopen = () => this.open();
    socket.onmessage = (event) => this.hear(String(event.data));
    socket.onclose = (event) => this.lose(event.code);
    socket.onerror = () => {}; // onclose follows
    globalThis.addEventListener?.("online", this.hurry);
  };

  private open(): void {
    this.isOpen = true;
    this.silentFor = 0;
    this.listen();
    this.authId = this.key === undefined ? undefined : this.send({ op: "auth", token: this.key });
    for (const watch of this.watches.values()) this.ask(watch);
  }

  private listen(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      ++this.silentFor;
      if (this.silentFor > 2) return this.drop();
      // Not known to the server, but every message is answered.
      if (this.silentFor === 2) this.send({ op: "ping" });
      this.listen();
    }, SILENCE);
  }

  private drop(): void {
    const socket = this.socket;
    this.lose(NO_CLOSE);
    socket?.close();
  }

  private lose(code: number): void {
    this.forget();
    const final = FINAL_CLOSES[code];
    if (final) return this.failAll(new Problem(final));
    const wait = this.wait ?? backoff(this.attempts, this.random, FIRST_WAIT, MOST_WAIT);
    ++this.attempts;
    this.wait = undefined;
    this.timer = setTimeout(this.connect, wait);
    for (const watch of [...this.watches.values()]) watch.lose();
  }

  /** The network is back: no need to wait for the next try. */
  private readonly hurry = (): void => {
    if (!this.socket && this.timer !== undefined) this.connect();
  };

  /** Of the present socket, whatever is left of it. */
  private forget(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.socket) this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket = undefined;
    this.isOpen = false;
    this.authId = undefined;
    this.asked.clear();
  }

  private end(): void {
    const socket = this.socket;
    this.forget();
    this.attempts = 0;
    globalThis.removeEventListener?.("online", this.hurry);
    socket?.close(1000);
  }

  // --- what it says and hears

  private send(message: object): number {
    const id = ++this.lastId;
    this.socket?.send(JSON.stringify({ id, ...message }));
    return id;
  }

  private ask(watch: Watch): void {
    const { asks, rate, since } = watch;
    watch.asked = this.send({ op: "watch", board: asks.board, view: asks.view, rate, since });
    this.asked.set(watch.asked, watch);
  }

  private hear(text: string): void {
    this.silentFor = 0;
    const message = parse(text);
    if (!message) return this.drop();
    if ("ok" in message) return this.answer(message);
    switch (message.type) {
      case "snapshot":
      case "delta":
      case "beat":
        return this.take(message);
      case "event":
        return this.tell(message);
      case "bye":
        this.wait = message.retry_after_ms;
    }
  }

  private answer(answer: Answer): void {
    const problem = answer.ok ? undefined : new Problem(answer.problem ?? {});
    if (problem && answer.id === this.authId) return this.failAll(problem);
    const watch = this.asked.get(answer.id);
    this.asked.delete(answer.id);
    if (!watch || watch.asked !== answer.id) return; // asked anew meanwhile
    if (problem) return this.refuse(watch, problem);
    this.attempts = 0;
    watch.welcome(answer.view ?? "", answer.recovered === true);
    if (!this.watches.has(watch.key)) this.send({ op: "unwatch", view: answer.view });
  }

  private refuse(watch: Watch, problem: Problem): void {
    if (problem.isTemporary) {
      watch.lose();
      setTimeout(() => this.askAgain(watch), backoff(0, this.random, MOST_WAIT, MOST_WAIT));
      return;
    }
    this.fail(watch, problem);
    // The server closes then, so the other views of that board would get no answer.
    if (problem.code !== "board_not_found") return;
    for (const other of [...this.watches.values()]) {
      if (other.asks.board === watch.asks.board) this.fail(other, problem);
    }
  }

  private askAgain(watch: Watch): void {
    const isIdle = watch.name === undefined && watch.asked === undefined;
    if (this.isOpen && isIdle && this.watches.get(watch.key) === watch) this.ask(watch);
  }

  private tell(event: BoardEvent): void {
    for (const watch of [...this.watches.values()]) {
      if (watch.asks.board === event.board) for (const view of [...watch.views]) view.hear(event);
    }
  }

  private take(frame: Frame | FeedFrame): void {
    for (const watch of this.watches.values()) {
      // What comes before the answer is of the time before it was asked.
      if (watch.name !== frame.view || watch.asked !== undefined) continue;
      if (!watch.take(frame)) this.ask(watch);
      return;
    }
  }

  private fail(watch: Watch, problem: Problem): void {
    for (const view of [...watch.views]) view.fail(problem);
  }

  private failAll(problem: Problem): void {
    for (const watch of [...this.watches.values()]) this.fail(watch, problem);
  }
}

function parse(text: string): Message | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === "object" && message !== null ? (message as Message) : undefined;
  } catch {
    return undefined;
  }
}
