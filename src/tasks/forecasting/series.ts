import { RandomStream } from "../../core/random.ts";

/** Several inputs over time, and the number that is forecast. */
export interface Series {
  /** The names of the inputs, in order; the target's own past is the last one. */
  readonly names: readonly string[];
  /** Each input's values at every time: [V][N]. */
  readonly columns: readonly Float64Array[];
}

export interface ComposeOptions {
  /** N */
  times: number;
  /** Inputs that have nothing to do with the target. */
  decoys: number;
  seed: number;
}

/** What growth needs, as the composer names it. */
export const DRIVERS = ["light", "water", "nitrogen"] as const;
export const TARGET = "growth";

/** How much of an input stays from one time to the next. */
const STAYS = 0.6;
/** How much the limits of the last times count, the latest first. */
const LAGS = [0.6, 0.3, 0.1];
/** Seeds of examples begin here, beyond those of recipes; the shipped model was trained among so many decoys. */
const [FIRST_EXAMPLE, EXAMPLE_DECOYS] = [2 ** 25, 9];
/** Deviation of what nobody can know of the target. */
const NOISE = 0.05;

/**
 * Growth by the law of the minimum (Liebig): at each time the scarcest of three inputs limits it, another one at another time;
 * the limits of three times add up. Other inputs are made alike and do not matter.
 *
 *     x_t = 0.6 x_{t−1} + 0.8 ε_t of each input    growth_t = Σ_k a_k min_d x_{t−1−k, d} + 0.05 ε,    a = 0.6, 0.3, 0.1
 *
 * Names of the decoys are `input 1`, `input 2` and so on, in columns between which the drivers stand by chance. The same options
 * give the same series.
 */
export function composeSeries({ times, decoys, seed }: ComposeOptions): Series {
  const random = new RandomStream(seed, 0);
  const names: string[] = [...DRIVERS, ...Array.from({ length: decoys }, (_, n) => `input ${n + 1}`)];
  random.shuffle(names);
  const columns = names.map(() => {
    const column = new Float64Array(times);
    for (let t = 0; t < times; t++)
      column[t] =
        (t === 0 ? random.normal() : STAYS * column[t - 1]!) +
        (t && Math.sqrt(1 - STAYS ** 2) * random.normal());
    return column;
  });
  const drivers = DRIVERS.map((driver) => columns[names.indexOf(driver)]!);
  const limit = (t: number) => Math.min(...drivers.map((column) => column[Math.max(0, t)]!));
  const growth = Float64Array.from({ length: times }, (_, t) => {
    const sum = LAGS.reduce((total, share, k) => total + share * limit(t - 1 - k), 0);
    return sum + NOISE * random.normal();
  });
  return { names: [...names, TARGET], columns: [...columns, growth] };
}

/** The series of an example: other numbers than those that training saw, by the same law and under the same names. */
export function exampleSeries(seed: number): Series {
  return composeSeries({ times: 200, decoys: EXAMPLE_DECOYS, seed: FIRST_EXAMPLE + seed });
}
