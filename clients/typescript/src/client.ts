import { Connection, type SocketConstructor } from "./connection.js";
import { FeedView, type FeedHandlers } from "./feed_view.js";
import { Http, type RequestOptions } from "./http.js";
import { LiveView, type LiveHandlers } from "./live_view.js";
import type { Board, BoardList, Feed, FeedStart, Position, Receipt, Row, Standings, Submission, View } from "./types.js";
import type { WatchedView } from "./watched_view.js";

export interface ClientOptions {
  /** A key of the server: what it allows. Reading public boards needs none. */
  key?: string;
  /** How often a request that may succeed later is sent again (5). */
  retries?: number;
  /** For each try of a request, in ms (10,000). */
  timeout?: number;
  fetch?: typeof fetch;
  /** Needed for `live` and `feed` where there is none: Node before 22, with the package `ws`. */
  WebSocket?: SocketConstructor;
  /** Spreads waits; for tests. */
  random?: () => number;
}

export interface CallOptions {
  signal?: AbortSignal;
}

export interface ReadOptions extends CallOptions {
  /** Wait until the server has seen this, for example the receipt of a submission. */
  after?: Position;
}

export interface StandingsOptions extends ReadOptions {
  limit?: number;
  /** At most one of the following. */
  offset?: number;
  cursor?: string;
  around?: string;
  players?: readonly string[];
}

export interface LiveOptions extends CallOptions {
  /** Messages a second, at most: 1, 2, 5, 10 (the usual) or 20. */
  rate?: 1 | 2 | 5 | 10 | 20;
}

const USUAL_RATE = 10;

/** A server of standings. It keeps one WebSocket for all that is watched, and none while nothing is. */
export class Client {
  private readonly http: Http;
  private readonly connection: Connection;
  private readonly views = new Set<WatchedView>();

  /** `url`: where the server is, "https://scores.example". */
  constructor(url: string | URL, options: ClientOptions = {}) {
    const base = new URL(url);
    if (!base.pathname.endsWith("/")) base.pathname += "/";
    const random = options.random ?? Math.random;
    this.http = new Http(base, {
      key: options.key,
      fetch: options.fetch ?? ((...request) => globalThis.fetch(...request)),
      retries: options.retries ?? 5,
      timeout: options.timeout ?? 10_000,
      random,
    });
    const live = new URL("v1/live", base);
    live.protocol = live.protocol.replace("http", "ws");
    const makeSocket = (at: string, protocol: string) => {
      const Socket = options.WebSocket ?? globalThis.WebSocket;
      if (!Socket) throw new TypeError("there is no WebSocket here: hand one in, `new Client(url, { WebSocket })`");
      return new Socket(at, protocol);
    };
    this.connection = new Connection(live.href, options.key, makeSocket, random);
  }

  /**
   * One score. It counts once, however often it has to be sent: all tries carry the same `Idempotency-Key`. Give a key of your
   * own where the caller may repeat the call, also after a crash.
   */
  submit(board: string, submission: Submission, options: CallOptions & { idempotencyKey?: string } = {}): Promise<Receipt> {
    return this.request("POST", `${pathOf(board)}/submissions`, { ...options, body: submission });
  }

  /** The first rows, or a page, or the rows around a player, or those of some players. */
  standings(board: string, options: StandingsOptions = {}): Promise<Standings> {
    const { limit, offset, cursor, around, players, after, signal } = options;
    const query = { limit, offset, cursor, around, players: players?.join(), min_seq: minSeq(after) };
    return this.request("GET", `${pathOf(board)}/standings`, { query, signal });
  }

  /** Where one player stands; `undefined` without an entry on the board. */
  async standing(board: string, player: string, options: ReadOptions = {}): Promise<Row | undefined> {
    const page = await this.standings(board, { ...options, players: [player] });
    return page.rows[0];
  }

  /** The last submissions of a board, or, without one, of all public boards: `limit` of them, up to 100 (5). */
  lastSubmissions(board?: string, options: ReadOptions & { limit?: number } = {}): Promise<Feed> {
    const { limit, after, signal } = options;
    const path = board === undefined ? "v1/feed" : `${pathOf(board)}/feed`;
    return this.request("GET", path, { query: { limit, min_seq: minSeq(after) }, signal });
  }

  /** The boards in order of their ids; `next_cursor` goes on. */
  boards(options: CallOptions & { limit?: number; cursor?: string } = {}): Promise<BoardList> {
    const { limit, cursor, signal } = options;
    return this.request("GET", "v1/boards", { query: { limit, cursor }, signal });
  }

  board(board: string, options: CallOptions = {}): Promise<Board> {
    return this.request("GET", pathOf(board), options);
  }

  /** The rest of the API: throws a `Problem`, gives the JSON. A POST is sent again as `submit` is. */
  request<T = unknown>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    return this.http.request<T>(method, path, options);
  }

  /**
   * Watches a board: the rows once, then whenever they change, until the view is closed. A lost connection is come back from,
   * and nothing in between is missing.
   */
  live(board: string, view: View, handlers: LiveHandlers = {}, options: LiveOptions = {}): LiveView {
    return this.watch(new LiveView(board, view, handlers, this.leave, options.signal), options);
  }

  /**
   * Watches the submissions of a board, or, with `undefined`, of all public boards: the last ones of before, then each as it comes,
   * once and in order, until the view is closed. A lost connection is come back from; an item before which others may be missing
   * then has a `gap`.
   */
  feed(board: string | undefined, start: FeedStart = {}, handlers: FeedHandlers = {}, options: LiveOptions = {}): FeedView {
    return this.watch(new FeedView(board, start, handlers, this.leave, options.signal), options);
  }

  /** Closes all views. */
  close(): void {
    for (const view of [...this.views]) view.close();
  }

  private watch<Made extends WatchedView>(view: Made, options: LiveOptions): Made {
    options.signal?.throwIfAborted();
    this.connection.watch(view, options.rate ?? USUAL_RATE);
    this.views.add(view);
    return view;
  }

  private readonly leave = (view: WatchedView): void => {
    this.views.delete(view);
    this.connection.unwatch(view);
  };
}

const minSeq = (after: Position | undefined) => after && `${after.epoch}:${after.seq}`;
const pathOf = (board: string) => `v1/boards/${encodeURIComponent(board)}`;
