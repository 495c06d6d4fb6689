// The page at `/`: the boards; at `/b/{board}`: its first rows, live.
import { Client, Problem, type Board, type LiveView, type Table } from "../../clients/typescript/src/index.js";
import { BoardTable } from "./board_table.js";
import { element, make } from "./page_parts.js";

const ROWS = 50;
const LIST_EVERY = 1_000;
const LOOK_EVERY = 5_000;
const AGAIN_AFTER = 2_000;

const number = new Intl.NumberFormat();
// What is on the screen is of now, also where the server lets others keep it for a moment.
const client = new Client(location.origin, { retries: 0, fetch: (at, init) => fetch(at, { ...init, cache: "no-store" }) });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const count = (many: number, one: string) => `${number.format(many)} ${one}${many === 1 ? "" : "s"}`;

type Light = "live" | "stale" | "none";

/** `text` is read out when it changes, `count` is not. */
function say(light: Light, text: string, count = ""): void {
  const state = element("state");
  if (state.textContent !== text) state.textContent = text;
  state.className = light === "none" ? "" : light === "live" ? "live" : "live stale";
  element("count").textContent = count;
}

function explain(failure: unknown): void {
  const isAnswered = failure instanceof Problem && failure.status !== 0;
  say("stale", isAnswered ? failure.detail : "The server does not answer; trying again …");
}

// --- the boards -------------------------------------------------------------------------------

async function showBoards(): Promise<void> {
  const { items, next_cursor } = await client.boards({ limit: 200 });
  if (items.length === 0) {
    say("none", "There is no board yet. Make one:");
    const commands =
      `curl --json '{"id":"demo"}' -H "Authorization: Bearer $KEY" ${location.origin}/v1/boards\n` +
      `curl --json '{"player":"ada","name":"Ada","score":120}' -H "Authorization: Bearer $KEY" \\\n` +
      `  ${location.origin}/v1/boards/demo/submissions`;
    return element("body").replaceChildren(make("pre", commands));
  }
  say("live", next_cursor ? `${number.format(items.length)}+ boards` : count(items.length, "board"));
  const table = make("table");
  const head = table.createTHead().insertRow();
  head.append(make("th", "Board"), make("th", "Players", "n"));
  for (const cell of head.cells) cell.scope = "col";
  table.createTBody().append(...items.map(boardRow));
  element("body").replaceChildren(table);
}

function boardRow(board: Board): HTMLTableRowElement {
  const row = make("tr");
  const link = make("a");
  link.href = `/b/${encodeURIComponent(board.id)}`;
  link.append(make("bdi", board.title || board.id));
  const cell = row.insertCell();
  cell.append(link);
  if (board.title) cell.append(" ", make("span", board.id, "id"));
  row.append(make("td", number.format(board.total), "n"));
  return row;
}

async function keepBoards(): Promise<never> {
  for (;;) {
    await showBoards().catch(explain);
    await pause(LIST_EVERY);
  }
}

// --- a board ----------------------------------------------------------------------------------

/** One board until its view ends. */
class BoardPage {
  private board: Board | undefined;
  private table: BoardTable | undefined;
  private view: LiveView | undefined;
  private newest: Table | undefined;

  constructor(private readonly slug: string) {}

  async run(): Promise<void> {
    await this.look();
    element("up").hidden = false;
    this.view = client.live(this.slug, { top: ROWS }, {
      onState: (state) => {
        // Back again: whatever was changed meanwhile.
        if (state === "live" && this.newest) void this.look().catch(() => {});
        this.show();
      },
      onEvent: (event) => {
        if (event.kind !== "leader") void this.look().catch(() => {});
      },
    });
    const looking = setInterval(() => void this.keepUp().catch(() => {}), LOOK_EVERY);
    try {
      for await (const table of this.view) {
        this.newest = table;
        this.show();
      }
    } finally {
      clearInterval(looking);
    }
  }

  /** What the view does not tell. */
  private async keepUp(): Promise<void> {
    const { view } = this;
    const isLive = () => view?.state === "live";
    if (document.hidden || (isLive() && view?.table?.seq === this.board?.seq)) return;
    if (!isLive()) {
      // Perhaps there is no way for a WebSocket at all.
      const page = await client.standings(this.slug, { limit: ROWS });
      if (!isLive()) this.newest = page;
    }
    // The number of players alone is no change to those who watch, and neither are title and columns.
    await this.look();
  }

  /** What the board is, beside its rows. */
  private async look(): Promise<void> {
    const board = await client.board(this.slug);
    // Answers may overtake each other.
    if (this.board?.epoch === board.epoch && this.board.seq > board.seq) return;
    const columns = JSON.stringify(board.columns);
    if (columns !== JSON.stringify(this.board?.columns)) this.table = new BoardTable(board.columns);
    this.board = board;
    document.title = element("title").textContent = board.title || board.id;
    this.show();
  }

  private show(): void {
    const { board, table, newest, view } = this;
    if (!board || !table || !view || view.state === "closed") return;
    if (!newest) return say("none", "Loading …");
    table.draw(newest.rows);
    const isEmpty = newest.rows.length === 0;
    const body = element("body");
    if (isEmpty) body.replaceChildren();
    else if (table.element.parentElement !== body) body.replaceChildren(table.element);

    const total = board.seq > newest.seq ? board.total : newest.total;
    const players = isEmpty ? "" : count(total, "player");
    if (view.state === "connecting") say("stale", "Not live yet; trying again …", players);
    else if (view.state === "reconnecting") say("stale", "Connection lost; trying again …", players);
    else if (board.state === "closed") say("live", "Closed: it takes no scores now.", players);
    else if (isEmpty) say("live", "No scores yet. This page shows the first one as it comes.");
    else say("live", "Live", players);
  }
}

async function keepBoard(slug: string): Promise<never> {
  for (;;) {
    try {
      await new BoardPage(slug).run();
    } catch (failure) {
      explain(failure);
      // Gone, or private now: its rows are not for here any more.
      if (failure instanceof Problem && failure.status === 404) element("body").replaceChildren();
    }
    await pause(AGAIN_AFTER);
  }
}

if (location.pathname.startsWith("/b/")) void keepBoard(decodeURIComponent(location.pathname.slice(3)));
else void keepBoards();
