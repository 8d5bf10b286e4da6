import { requireAtLeast } from "./options.ts";

export interface EarlyStoppingOptions {
  /** Evaluations in a row without a new best after which to stop, from 1; `Infinity` never stops. */
  patience: number;
  /** Whether a higher or a lower score is better. @default "max" */
  mode?: "max" | "min";
  /** A score is a new best when it is better than the old by more than this, from 0. @default 0 */
  minDelta?: number;
}

/** All that an `EarlyStopping` remembers, as JSON. */
export interface EarlyStoppingState {
  /** null before the first finite score. */
  best: { score: number; step: number } | null;
  /** Evaluations since the best. */
  stale: number;
}

/**
 * Remembers the best validation score and says when it has not been beaten for `patience` evaluations. A score that
 * is not finite is never a best.
 *
 * @example
 * const stopping = new EarlyStopping({ patience: 2 });
 * stopping.update(41.0, 100); // true
 * stopping.update(40.9, 200); // false
 * stopping.update(40.8, 300); // false
 * stopping.shouldStop; // true
 */
export class EarlyStopping {
  readonly #patience: number;
  readonly #sign: 1 | -1;
  readonly #minDelta: number;
  #state: EarlyStoppingState;

  /** @param state what `state` was when the run was saved */
  constructor({ patience, mode = "max", minDelta = 0 }: EarlyStoppingOptions, state?: EarlyStoppingState) {
    if (patience !== Infinity) requireAtLeast("EarlyStopping", "patience", patience, 1);
    requireAtLeast("EarlyStopping", "minDelta", minDelta, 0);
    this.#patience = patience;
    this.#sign = mode === "max" ? 1 : -1;
    this.#minDelta = minDelta;
    this.#state = state ?? { best: null, stale: 0 };
  }

  /** @returns whether this score is a new best */
  update(score: number, step: number): boolean {
    const { best, stale } = this.#state;
    const better =
      Number.isFinite(score) &&
      (best === null || this.#sign * score > this.#sign * best.score + this.#minDelta);
    this.#state = better ? { best: { score, step }, stale: 0 } : { best, stale: stale + 1 };
    return better;
  }

  get best(): EarlyStoppingState["best"] {
    return this.#state.best;
  }

  get shouldStop(): boolean {
    return this.#state.stale >= this.#patience;
  }

  get state(): EarlyStoppingState {
    return this.#state;
  }
}
