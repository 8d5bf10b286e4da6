import { CAUSAL, NORMALIZER_LABELS, TASKS } from "./values.ts";

/** Something that a reader sets: a slider, or a list where there are `choices`. */
export interface Control {
  readonly key: string;
  readonly label: string;
  readonly least: number;
  readonly most: number;
  readonly step: number;
  readonly start: number;
  readonly choices?: readonly string[];
  /** Said beside the label. */
  readonly hint?: string;
}

const slider = (
  key: string,
  label: string,
  [least, most, step, start]: readonly [number, number, number, number],
  hint?: string,
): Control => ({ key, label, least, most, step, start, ...(hint !== undefined && { hint }) });

const list = (key: string, label: string, choices: readonly string[], start = 0): Control => ({
  ...{ key, label, choices, start },
  ...{ least: 0, most: choices.length - 1, step: 1 },
});

/** Further than any key: the window is open. */
export const OPEN = 8;
/** Above this slider value scores are not capped. */
export const NO_CAP = 10;

const ALL = [
  list("task", "Numbers", TASKS),
  slider("T", "T, queries", [1, 8, 1, 4]),
  slider("S", "S, keys", [1, 8, 1, 5]),
  slider("D", "D, width", [1, 6, 1, 4]),
  slider("seed", "Seed", [0, 99, 1, 7]),
  list("normalize", "Normaliser", NORMALIZER_LABELS),
  slider("tau", "Temperature τ", [0.1, 4, 0.1, 1]),
  slider("alpha", "α of entmax", [1, 3, 0.1, 1.5]),
  list("causal", "Causal corner", CAUSAL),
  slider("left", "Keys before", [0, OPEN, 1, OPEN], "8 is open"),
  slider("right", "Keys after", [0, OPEN, 1, OPEN], "8 is open"),
  slider("cap", "Soft-cap", [0.5, NO_CAP, 0.5, NO_CAP], "10 is off"),
  slider("sink", "Sink’s logit", [-4, 6, 0.5, 0]),
  slider("heads", "Heads", [1, 4, 1, 2]),
  slider("keep", "Keys kept", [1, 8, 1, 2]),
  slider("angle", "Turn of W, degrees", [0, 180, 15, 0]),
  slider("gumbel", "Gumbel τ", [0.1, 4, 0.1, 0.5]),
  list("hard", "Forward pass", ["soft weights", "one-hot"]),
  slider("gain", "Gain of W₂", [0, 12, 0.5, 6]),
  slider("shift", "Bias", [-6, 3, 0.5, -2]),
  list("kernel", "Filter", ["1 × 1", "3 × 3", "5 × 5", "7 × 7"], 1),
  slider("uy", "μ, first row", [-4, 20, 0.5, 5]),
  slider("dy", "d, rows apart", [0.25, 3, 0.25, 1]),
  slider("sy", "σ, rows", [0.2, 4, 0.1, 0.6]),
  slider("ux", "μ, first column", [-4, 20, 0.5, 8]),
  slider("dx", "d, columns apart", [0.25, 3, 0.25, 1]),
  slider("sx", "σ, columns", [0.2, 4, 0.1, 0.6]),
  slider("zoom", "Scale", [0.2, 1.4, 0.05, 0.4]),
  slider("turn", "Turn, degrees", [-90, 90, 5, 0]),
  slider("moveX", "Shift x", [-1, 1, 0.05, 0.1]),
  slider("moveY", "Shift y", [-1, 1, 0.05, -0.1]),
  slider("row", "First row", [0, 14, 1, 5]),
  slider("column", "First column", [0, 14, 1, 8]),
] as const;

export const CONTROLS: ReadonlyMap<string, Control> = new Map(ALL.map((control) => [control.key, control]));

/** A value held to its control's range and steps. */
export function held({ least, most, step, start }: Control, value: number): number {
  if (!Number.isFinite(value)) return start;
  const steps = Math.round((Math.max(least, Math.min(most, value)) - least) / step);
  return Number((least + steps * step).toFixed(4));
}
