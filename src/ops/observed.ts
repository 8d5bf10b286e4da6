/** Calls that someone may be told of while some work runs. Outside of it nobody is, and calls pay nothing for it. */
export class Observed<Call> {
  #observer: ((call: Call) => void) | undefined;

  /** Who is told of each call now. */
  get observer(): ((call: Call) => void) | undefined {
    return this.#observer;
  }

  /** Runs `work` while `observer` is told of each call in it; an observer before it comes back after. */
  during<T>(observer: (call: Call) => void, work: () => T): T {
    const before = this.#observer;
    this.#observer = observer;
    try {
      return work();
    } finally {
      this.#observer = before;
    }
  }
}
