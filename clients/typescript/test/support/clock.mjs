// Time that passes when a test says so, instead of setTimeout's.
const turn = () => new Promise((resolve) => setImmediate(resolve));

export class Clock {
  now = 0;
  timers = new Map();
  lastId = 0;
  real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };

  install() {
    globalThis.setTimeout = (call, ms = 0) => {
      this.timers.set(++this.lastId, { at: this.now + ms, call });
      return this.lastId;
    };
    globalThis.clearTimeout = (id) => this.timers.delete(id);
    return this;
  }

  restore() {
    Object.assign(globalThis, this.real);
  }

  /** What is due in the next `ms` happens, in order, and whatever follows from it at once. */
  async pass(ms) {
    const end = this.now + ms;
    for (;;) {
      await turn();
      const due = [...this.timers].filter(([, timer]) => timer.at <= end).sort(([, one], [, other]) => one.at - other.at)[0];
      if (!due) break;
      const [id, timer] = due;
      this.timers.delete(id);
      this.now = timer.at;
      timer.call();
    }
    this.now = end;
  }
}
