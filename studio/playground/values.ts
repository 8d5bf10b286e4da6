import { RandomStream } from "../../src/core/random.ts";

/** Every number that a reader can set, by name; what is chosen from a list is its place there. */
export type Values = Readonly<Record<string, number>>;

/** What the numbers of the grids are, before a reader changes any. */
export const TASKS = ["look-up", "positions", "random"] as const;

export const NORMALIZER_NAMES = [
  "softmax",
  "sparsemax",
  "entmax",
  "sigmoid",
  "softmaxPlusOne",
  "hardmax",
] as const;
export const NORMALIZER_LABELS = [
  "softmax",
  "sparsemax",
  "α-entmax",
  "sigmoid",
  "softmax + 1",
  "hard (argmax)",
];
export const CAUSAL = ["off", "top left", "bottom right"] as const;

/** Rounded to what is written in copied code, so that both are the same numbers. */
export const rounded = (x: number): number => Math.round(x * 100) / 100 || 0;

/** A grid of normal numbers that seed, name and place alone decide, so that a larger one keeps those of a smaller one. */
export function randomGrid(
  seed: number,
  stream: number,
  rows: number,
  columns: number,
  deviation = 1,
): number[][] {
  return Array.from({ length: rows }, (_, r) => {
    const random = new RandomStream(seed, stream * 64 + r);
    return Array.from({ length: columns }, () => rounded(deviation * random.normal()));
  });
}

export interface Grids {
  readonly q: number[][];
  readonly k: number[][];
  readonly v: number[][];
}

/**
 * The task's own q [T, D], k [S, D] and v [S, D].
 *
 * look-up: each query is twice the key of an item, and asks for its value. positions: sines and cosines of the place, so that
 * near ones are alike. random: normal numbers.
 */
export function taskGrids({ task, T, S, D, seed }: Values): Grids {
  const v = Array.from({ length: S! }, (_, s) =>
    Array.from({ length: D! }, (_, c) => rounded(((s * 3 + c * 5 + seed!) % 9) - 4)),
  );
  if (TASKS[task!] === "positions") {
    const code = (at: number, factor: number) =>
      Array.from({ length: D! }, (_, c) => {
        const angle = at / 1.6 ** Math.floor(c / 2);
        return rounded(factor * (c % 2 ? Math.cos(angle) : Math.sin(angle)));
      });
    const offset = S! - T!;
    return {
      q: Array.from({ length: T! }, (_, t) => code(t + offset, 2)),
      k: Array.from({ length: S! }, (_, s) => code(s, 1)),
      v,
    };
  }
  const k = randomGrid(seed!, 1, S!, D!);
  if (TASKS[task!] === "random")
    return { q: randomGrid(seed!, 0, T!, D!), k, v: randomGrid(seed!, 2, S!, D!) };
  // Items in an order of their own: 3 and 8 have no common divisor, so each is asked for before one comes again.
  const asked = (t: number) => (3 * t + seed!) % S!;
  return { q: Array.from({ length: T! }, (_, t) => k[asked(t)]!.map((x) => rounded(2 * x))), k, v };
}

/** What a reader wrote into a cell: `q`, `k` or `v`, row, column. */
export type Edits = Readonly<Record<string, number>>;

export const cellKey = (grid: string, row: number, column: number): string => `${grid}${row}.${column}`;

/** The task's numbers with those that a reader wrote over them. */
export function gridsOf(values: Values, edits: Edits): Grids {
  const made = taskGrids(values);
  const edited = (name: keyof Grids) =>
    made[name].map((row, r) => row.map((x, c) => edits[cellKey(name, r, c)] ?? x));
  return { q: edited("q"), k: edited("k"), v: edited("v") };
}
