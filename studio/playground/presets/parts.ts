import { at, call, type Expression, Lambda, named } from "../../call/call.ts";
import { FUNCTIONS, type Nested, numbersOf } from "../../call/functions.ts";
import { NO_CAP, OPEN } from "../controls.ts";
import type { Axis, Stage, Term } from "../preset.ts";
import { CAUSAL, type Grids, NORMALIZER_NAMES, type Values } from "../values.ts";

/** [T, D] as a tensor of one example [1, T, D]. */
export const sequence = (grid: number[][]): Expression => call("tf.tensor3d", [grid]);
/** [T, D] as a tensor of one example and head [1, 1, T, D]. */
export const head = (grid: number[][]): Expression => call("tf.tensor4d", [[grid]]);

/** The mask's options that differ from the defaults; undefined where none does. */
export function maskOf(values: Values): { readonly [option: string]: Expression } | undefined {
  const { T, S, causal = 0, left = OPEN, right = OPEN, cap = NO_CAP } = values;
  const corner = CAUSAL[causal]!;
  const isBounded = left < OPEN || right < OPEN;
  const mask = {
    ...(corner === "top left" && { causal: "topLeft" }),
    ...(corner === "bottom right" && { causal: "bottomRight" }),
    ...(isBounded && {
      window: { ...(left < OPEN && { left }), ...(right < OPEN && { right }) },
    }),
    // A window without causality stands at the bottom right, the last query at the last key.
    ...(isBounded && corner === "off" && T !== S && { queryOffset: S! - T! }),
    ...(cap < NO_CAP && { softCap: cap }),
  };
  return Object.keys(mask).length === 0 ? undefined : mask;
}

/** The normaliser as `attend` takes it: a name, or a function where there is a temperature or an α. */
export function normalizerOf({ normalize = 0, tau = 1, alpha = 1.5 }: Values): Expression | undefined {
  const name = NORMALIZER_NAMES[normalize]!;
  const scores = named("scores");
  const tempered = tau === 1 ? scores : call("tf.div", scores, tau);
  if (name === "entmax") return new Lambda("scores", call("entmax", tempered, alpha));
  if (tau !== 1) return new Lambda("scores", call(`NORMALIZERS.${name}`, tempered));
  return name === "softmax" ? undefined : name;
}

/** [1, n, m] or [1, 1, n, m] as rows. */
export function rowsOf(value: unknown): number[][] {
  let nested = numbersOf(value) as Nested[][];
  while (Array.isArray(nested[0]![0])) nested = nested[0] as Nested[][];
  return nested as number[][];
}

/** The rows of what a path of the answer leads to. */
export const rowsAt = (result: unknown, path: string): number[][] => rowsOf(at(result, path));

export const stage = (
  title: string,
  step: string,
  values: readonly (readonly number[])[],
  axes: readonly [Axis, Axis],
  more: Partial<Stage> = {},
): Stage => ({ title, step, values, axes, colors: axes[1] === "s" ? "signed" : "signed", ...more });

/** q·k without a scale, by heed's own score. */
export function rawScores({ q, k }: Grids): number[][] {
  const { dotScore, "tf.tensor3d": tensor3d } = FUNCTIONS as {
    dotScore: () => { score(a: unknown, b: unknown): unknown };
    "tf.tensor3d": (x: unknown) => unknown;
  };
  return rowsOf(dotScore().score(tensor3d([q]), tensor3d([k])));
}

/** The terms that all attention over a sequence has. */
export const TERMS = {
  q: { key: "q", says: "q_t, what query t asks for", controls: ["grid-q", "T", "D"] },
  k: { key: "k", says: "k_s, what key s offers to be found by", controls: ["grid-k", "S", "D"] },
  v: { key: "v", says: "v_s, what is read where key s is found", controls: ["grid-v", "S"] },
  scale: {
    key: "scale",
    says: "1/√D keeps scores as large for wide keys as for narrow ones",
    controls: ["D"],
  },
  tau: { key: "tau", says: "τ, the temperature: small is sharp, large is even", controls: ["tau"] },
  norm: {
    key: "norm",
    says: "the normaliser makes weights of a row of scores",
    controls: ["normalize", "alpha"],
  },
  mask: {
    key: "mask",
    says: "only keys that query t may see take part",
    controls: ["causal", "left", "right"],
  },
} as const satisfies Record<string, Term>;

/** The controls that any attention through `attend` has. */
export const ATTEND_CONTROLS = [
  ...["task", "T", "S", "D", "seed", "normalize", "tau", "alpha"],
  ...["causal", "left", "right", "cap"],
] as const;
