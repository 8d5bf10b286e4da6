import type { Tensor, Tensor4D } from "@tensorflow/tfjs-core";

/** Calls that an observer may be notified of while some work runs. Without an observer they cost nothing. */
export class Observed<Call> {
  #observer: ((call: Call) => void) | undefined;

  /** Notified of each call now. */
  get observer(): ((call: Call) => void) | undefined {
    return this.#observer;
  }

  /** Runs `work` while `observer` is notified of each call in it; an observer before it comes back after. */
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

/** A gate as it is applied. Its tensors are gone when the call is over. */
export interface GateCall {
  /** The function that made it. */
  readonly op: string;
  /** Which of its gates. */
  readonly name: string;
  readonly gate: Tensor;
  /** Whether its first axis is the batch. */
  readonly hasBatch: boolean;
}

/** Every gate over features, for a capture. */
export const gateCalls = new Observed<GateCall>();

/** A glimpse as it is taken. Its tensors are gone when the call is over. */
export interface GlimpseCall {
  /** The function that took it. */
  readonly op: string;
  /** [B, H, W, C] */
  readonly image: Tensor4D;
  /**
   * [B, 6], u, d and s (first centre, stride and deviation, in pixels) of the rows and then of the columns; or θ
   * [B, 2, 3] with aligned corners.
   */
  readonly parameters: Tensor;
  /** Rows and columns of the glimpse. */
  readonly size: readonly [rows: number, columns: number];
}

/** Every glimpse of an image, for a capture. */
export const glimpseCalls = new Observed<GlimpseCall>();
