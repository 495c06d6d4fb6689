// The rows of a board: who moves glides to the new place, whoever's scores have changed is marked for a moment.
import type { Column, Row } from "../../clients/typescript/src/index.js";
import { make } from "./page_parts.js";

const GLIDE = 450;
const MARK = 1_400;

const wantsStill = matchMedia("(prefers-reduced-motion: reduce)");
const rankFormat = new Intl.NumberFormat();

interface Shown {
  readonly row: Row;
  readonly element: HTMLTableRowElement;
  glide?: Animation;
}

export class BoardTable {
  readonly element = make("table");
  private readonly body: HTMLTableSectionElement;
  private readonly formats: readonly Intl.NumberFormat[];
  private drawn: readonly Row[] | undefined;
  private shown = new Map<string, Shown>();

  constructor(private readonly columns: readonly Column[]) {
    this.formats = columns.map(({ decimals }) => {
      return new Intl.NumberFormat(undefined, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    });
    const head = this.element.createTHead().insertRow();
    head.append(make("th", "Rank", "n"), make("th", "Player"));
    for (const column of columns) head.append(make("th", column.name.replaceAll("_", " "), "n"));
    for (const cell of head.cells) cell.scope = "col";
    this.body = this.element.createTBody();
  }

  draw(rows: readonly Row[]): void {
    if (rows === this.drawn) return;
    this.drawn = rows;
    const before = this.shown;
    const isSeen = this.element.isConnected && before.size > 0 && !document.hidden;
    // Where they are seen now, also in the middle of a glide.
    const tops = isSeen ? topsOf(before) : undefined;
    this.shown = new Map(rows.map((row) => [row.player, this.keep(row, before.get(row.player))]));
    this.body.replaceChildren(...[...this.shown.values()].map((each) => each.element));
    if (!tops) return;
    const newTops = topsOf(this.shown);
    for (const [player, shown] of this.shown) {
      const known = before.get(player);
      if (!known || this.textOf(known.row) !== this.textOf(shown.row)) mark(shown.element);
      if (!wantsStill.matches) glide(shown, tops.get(player), newTops.get(player)!);
    }
  }

  /** A row that is as it was keeps its element; any other gets a new one, so that nothing of the old is left in it. */
  private keep(row: Row, known: Shown | undefined): Shown {
    if (known?.row !== row) return { row, element: this.make(row) };
    known.glide?.cancel();
    return { row, element: known.element };
  }

  private make(row: Row): HTMLTableRowElement {
    const made = make("tr");
    made.append(make("td", rankFormat.format(row.rank), "n"));
    const cell = make("td", "", "who");
    made.append(cell);
    cell.append(make("bdi", row.name || row.player));
    if (row.name) cell.append(" ", make("span", row.player, "id"));
    for (const text of this.scoresOf(row)) made.append(make("td", text, "n"));
    return made;
  }

  private scoresOf(row: Row): string[] {
    return this.columns.map((column, at) => {
      const score = row.scores ? row.scores[column.name] : row.score;
      return score === undefined ? "" : this.formats[at]!.format(score);
    });
  }

  /** What is told of the player, whatever the place. */
  private textOf(row: Row): string {
    return [row.name ?? "", ...this.scoresOf(row)].join("\n");
  }
}

function topsOf(shown: ReadonlyMap<string, Shown>): Map<string, number> {
  return new Map([...shown].map(([player, { element }]) => [player, element.getBoundingClientRect().top]));
}

function mark(element: HTMLElement): void {
  const easing = wantsStill.matches ? "steps(1, end)" : "ease-in";
  element.animate([{ backgroundColor: "var(--changed)" }, { backgroundColor: "var(--card)" }], { duration: MARK, easing });
}

function glide(shown: Shown, from: number | undefined, to: number): void {
  const { element } = shown;
  if (from === undefined) {
    element.animate([{ opacity: 0 }, { opacity: 1 }], { duration: GLIDE });
  } else if (Math.abs(from - to) >= 1) {
    // Who climbs passes in front of the others.
    const zIndex = from > to ? "1" : "0";
    const start = { transform: `translateY(${from - to}px)`, zIndex };
    shown.glide = element.animate([start, { transform: "none", zIndex }], { duration: GLIDE, easing: "ease-out" });
  }
}
