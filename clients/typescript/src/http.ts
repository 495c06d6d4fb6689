import { Problem, type ProblemBody } from "./problem.js";
import { backoff, pause } from "./wait.js";

const FIRST_WAIT = 250;
const MOST_WAIT = 8_000;
// Whoever is told to wait longer hears of it instead.
const LONGEST_RETRY_AFTER = 30_000;

export interface HttpOptions {
  key: string | undefined;
  fetch: typeof fetch;
  /** How often a request is sent again. */
  retries: number;
  /** For each try, in ms. */
  timeout: number;
  random: () => number;
}

export interface RequestOptions {
  /** Members that are `undefined` are left out. */
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  /** Of a POST; by default a new one for each call, the same for all its tries. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/** Requests with JSON, sent again where that is safe: reads, and writes that carry an `Idempotency-Key`. */
export class Http {
  constructor(private readonly base: URL, private readonly options: HttpOptions) {}

  async request<T>(method: string, path: string, request: RequestOptions = {}): Promise<T> {
    const { signal, query = {} } = request;
    const url = new URL(path.replace(/^\//, ""), this.base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const init = this.init(method, request);
    const mayRepeat = method === "GET" || method === "POST";
    for (let attempt = 0; ; ++attempt) {
      const outcome = await this.once<T>(url, init, signal);
      if (!(outcome instanceof Problem)) return outcome.value;
      const asked = outcome.retryAfterMs ?? 0;
      if (!mayRepeat || !outcome.isTemporary || attempt >= this.options.retries || asked > LONGEST_RETRY_AFTER) {
        throw outcome;
      }
      await pause(asked + backoff(attempt, this.options.random, FIRST_WAIT, MOST_WAIT), signal);
    }
  }

  private init(method: string, { body, headers, idempotencyKey }: RequestOptions): RequestInit {
    const all: Record<string, string> = { Accept: "application/json", ...headers };
    if (this.options.key) all["Authorization"] = `Bearer ${this.options.key}`;
    if (body !== undefined) all["Content-Type"] ??= "application/json";
    if (method === "POST") all["Idempotency-Key"] ??= idempotencyKey ?? makeKey();
    return { method, headers: all, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  }

  /** One try. Throws only what the caller's own signal says. */
  private async once<T>(url: URL, init: RequestInit, signal?: AbortSignal): Promise<{ value: T } | Problem> {
    signal?.throwIfAborted();
    const ours = new AbortController();
    const stop = () => ours.abort(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    const timer = setTimeout(() => ours.abort(new Error("no answer in time")), this.options.timeout);
    try {
      const answer = await this.options.fetch(url, { ...init, signal: ours.signal });
      const text = await answer.text();
      const value = parse(text);
      if (answer.ok && (value !== undefined || text === "")) return { value: value as T };
      const body = (value ?? { title: `HTTP ${answer.status}, without JSON` }) as ProblemBody;
      return new Problem(body, { status: answer.status, retryAfterMs: retryAfter(answer.headers.get("Retry-After")) });
    } catch (cause) {
      signal?.throwIfAborted();
      return new Problem({ title: "The server does not answer" }, { cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** In ms, of seconds or a date. */
export function retryAfter(header: string | null): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

// 128 bits. crypto.randomUUID() is missing where a page was not loaded over https, all of `crypto` in Node 18.
function makeKey(): string {
  const parts = new Uint32Array(4);
  if (globalThis.crypto) globalThis.crypto.getRandomValues(parts);
  else parts.forEach((_, at) => (parts[at] = Math.random() * 2 ** 32));
  return Array.from(parts, (part) => part.toString(16).padStart(8, "0")).join("");
}
