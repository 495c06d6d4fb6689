export interface ProblemItem {
  readonly pointer?: string;
  readonly code: string;
  readonly detail: string;
}

/** `application/problem+json`, as the server answers it. */
export interface ProblemBody {
  readonly type?: string;
  readonly title?: string;
  readonly status?: number;
  readonly detail?: string;
  readonly code?: string;
  readonly request_id?: string;
  readonly errors?: readonly ProblemItem[];
}

/** Whatever the server refuses, and a server that does not answer (`status` 0, `code` "unreachable"). */
export class Problem extends Error {
  override readonly name = "Problem";
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number;
  /** Stable, for programs: "board_not_found", "invalid", "rate_limited" ... */
  readonly code: string;
  readonly title: string;
  /** For people. */
  readonly detail: string;
  /** Where in the request the first error is: "/score", "?limit". */
  readonly pointer: string | undefined;
  readonly errors: readonly ProblemItem[];
  /** For the server's log. */
  readonly requestId: string | undefined;
  /** When the server wants to be asked again. */
  readonly retryAfterMs: number | undefined;

  constructor(body: ProblemBody, more: { status?: number; retryAfterMs?: number | undefined; cause?: unknown } = {}) {
    const title = body.title ?? "The request failed";
    super(body.detail ?? title, { cause: more.cause });
    this.status = more.status ?? body.status ?? 0;
    this.code = body.code ?? (this.status ? `http_${this.status}` : "unreachable");
    this.title = title;
    this.detail = body.detail ?? title;
    this.errors = body.errors ?? [];
    this.pointer = this.errors[0]?.pointer;
    this.requestId = body.request_id;
    this.retryAfterMs = more.retryAfterMs;
  }

  /** Whether the same request may succeed later. */
  get isTemporary(): boolean {
    return [0, 429, 502, 503, 504].includes(this.status) || this.code === "idempotency_running";
  }
}
