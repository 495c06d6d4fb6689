import type { FeedFrame, Frame } from "./frames.js";
import type { Problem } from "./problem.js";
import type { BoardEvent, Position } from "./types.js";

/**
 * - `connecting`: nothing has come yet
 * - `live`: what is there is what the server has
 * - `reconnecting`: the connection was lost; what is there came before
 * - `closed`: it has ended, by `close()`, its signal or a `problem`
 */
export type LiveState = "connecting" | "live" | "reconnecting" | "closed";

export interface ViewHandlers {
  /** Something happened to the board: another leader, frozen, reset. */
  onEvent?(event: BoardEvent): void;
  onState?(state: LiveState): void;
  /** The server refuses the view: it has ended. */
  onError?(problem: Problem): void;
}

/** What is asked of the server, and what its frames make of what was shown before. `undefined`: it does not follow. */
export interface Asked<Shown> {
  readonly board: string | undefined;
  readonly view: object;
  merge(before: Shown | undefined, frame: Frame | FeedFrame): Shown | undefined;
}

/** What all views have in common, whatever they show: they are watched until they are closed. */
export abstract class WatchedView<Shown extends Position = Position> {
  readonly board: string | undefined;
  private now: LiveState = "connecting";
  private failure: Problem | undefined;
  private readonly waiting = new Set<() => void>();

  constructor(
    /** @internal */
    readonly asks: Asked<Shown>,
    protected readonly handlers: ViewHandlers,
    private readonly leave: (view: WatchedView) => void,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.board = asks.board;
    signal?.addEventListener("abort", this.close, { once: true });
  }

  get state(): LiveState {
    return this.now;
  }
  /** Why the server has ended it. */
  get problem(): Problem | undefined {
    return this.failure;
  }

  readonly close = (): void => {
    if (this.now === "closed") return;
    this.signal?.removeEventListener("abort", this.close);
    this.leave(this);
    this.enter("closed");
  };

  /** What `next` gives, and whatever it gives later where that is `undefined` now, until the view ends. */
  protected async *loop<Turn>(next: () => Turn | undefined): AsyncGenerator<Turn, void, undefined> {
    try {
      while (this.now !== "closed" || this.failure) {
        const turn = next();
        if (turn !== undefined) yield turn;
        else if (this.failure) throw this.failure;
        else await new Promise<void>((resolve) => this.waiting.add(resolve));
      }
    } finally {
      this.close();
    }
  }

  protected wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  // --- for the connection

  /** @internal */
  abstract take(shown: Shown): void;

  /** @internal */
  enter(state: LiveState): void {
    if (this.now === state || this.now === "closed") return;
    this.now = state;
    call(() => this.handlers.onState?.(state));
    this.wake();
  }

  /** @internal */
  hear(event: BoardEvent): void {
    call(() => this.handlers.onEvent?.(event));
  }

  /** @internal */
  fail(problem: Problem): void {
    if (this.now === "closed") return;
    this.failure = problem;
    this.close();
    call(() => this.handlers.onError?.(problem));
  }
}

// A handler that throws is its author's to hear of; the views of others go on.
export function call(handler: () => void): void {
  try {
    handler();
  } catch (failure) {
    queueMicrotask(() => {
      throw failure;
    });
  }
}
