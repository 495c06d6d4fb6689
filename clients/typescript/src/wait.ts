/**
 * How long to wait before try number `attempt` + 1: anything from 0 up to a bound that doubles from try to try, so that
 * clients which were cut off together do not come back together.
 */
export function backoff(attempt: number, random: () => number, first: number, most: number): number {
  return random() * Math.min(most, first * 2 ** attempt);
}

/** Resolves after `ms`; rejects with the signal's reason once that is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}
