import { serialization } from "@tensorflow/tfjs-core";

/** Time in the kernels of one name. */
export interface KernelTime {
  readonly name: string;
  /** Whether heed's own code ran, and not that of TensorFlow.js. */
  readonly ours: boolean;
  calls: number;
  /** Milliseconds, without those in kernels that these ones ran. */
  ms: number;
}

/** Adds up the time in kernels, each without those that it runs itself. */
export class Meter {
  readonly #times = new Map<string, KernelTime>();
  /** Milliseconds in kernels that the running one ran. */
  #inner = 0;

  get times(): readonly KernelTime[] {
    return [...this.#times.values()];
  }

  run<T>(name: string, ours: boolean, kernel: () => T): T {
    const outer = this.#inner;
    this.#inner = 0;
    const start = performance.now();
    try {
      return kernel();
    } finally {
      const ms = performance.now() - start;
      const time = this.#timeOf(name, ours);
      time.calls++;
      time.ms += ms - this.#inner;
      this.#inner = outer + ms;
    }
  }

  #timeOf(name: string, ours: boolean): KernelTime {
    const key = `${ours} ${name}`;
    const time = this.#times.get(key) ?? { name, ours, calls: 0, ms: 0 };
    this.#times.set(key, time);
    return time;
  }
}

const METER = Symbol.for("heed.meter");

/** Kept with TensorFlow.js: kernels of another copy of heed may be those that run. */
const holder = () => serialization.SerializationMap.getMap() as unknown as Record<symbol, Meter | undefined>;

/** Starts measuring, or, without a meter, ends it. */
export function setMeter(meter: Meter | undefined): void {
  holder()[METER] = meter;
}

/** The meter that measures now. */
export function currentMeter(): Meter | undefined {
  return holder()[METER];
}

/** Runs a kernel, measured where somebody measures. */
export function metered<T>(name: string, ours: boolean, kernel: () => T): T {
  const meter = currentMeter();
  return meter ? meter.run(name, ours, kernel) : kernel();
}
