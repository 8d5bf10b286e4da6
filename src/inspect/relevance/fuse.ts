import { OptionError } from "../../core/errors.ts";
import { MASKED } from "../cells.ts";
import type { AttentionMap } from "../map/map.ts";
import type { MaskSpec } from "../mask.ts";

export const HEAD_FUSIONS = ["mean", "max", "min"] as const;
export type HeadFusion = (typeof HEAD_FUSIONS)[number];

export interface FusionOptions {
  /** How the heads of a layer become one. @default "mean" */
  readonly heads?: HeadFusion;
  /** Adds the residual connection: A + I before rows are scaled to sum to 1. @default true */
  readonly identity?: boolean;
}

/** One layer as a matrix [T, T] whose rows sum to 1 (0 where a query sees nothing and there is no identity). */
export function fuseHeads(
  map: AttentionMap,
  { heads = "mean", identity = true }: FusionOptions,
  weightOf: (weight: number, visible: number) => number = (weight) => weight,
): Float64Array {
  const { H, T, S } = map;
  const fused = new Float64Array(T * S);
  for (let t = 0; t < T; t++) {
    const to = fused.subarray(t * S, (t + 1) * S);
    for (let h = 0; h < H; h++) {
      const { values, kinds } = map.row(h, t);
      let visible = 0;
      for (const kind of kinds) if (kind !== MASKED) visible++;
      for (let s = 0; s < S; s++) {
        const w = kinds[s] === MASKED ? 0 : weightOf(values[s]!, visible);
        if (heads === "mean") to[s]! += w / H;
        else if (h === 0) to[s] = w;
        else to[s] = heads === "max" ? Math.max(to[s]!, w) : Math.min(to[s]!, w);
      }
    }
    if (identity) to[t]! += 1;
    scaleToOne(to);
  }
  return fused;
}

/** Divides a row by its sum, unless that is 0. */
export function scaleToOne(row: Float64Array): void {
  let sum = 0;
  for (const x of row) sum += x;
  if (sum > 0) for (let s = 0; s < row.length; s++) row[s]! /= sum;
}

/** What all maps of a stack hide: later inputs, where every layer is causal. */
export function sharedMask(maps: readonly AttentionMap[]): { maskSpec?: MaskSpec } {
  const isCausal = maps.every(({ maskSpec }) => maskSpec?.right === 0 && !maskSpec.offset);
  return isCausal ? { maskSpec: { right: 0 } } : {};
}

/** Checks what rollout and flow may be asked of; returns the number of positions. */
export function checkLayers(
  op: string,
  maps: readonly AttentionMap[],
  { heads = "mean" }: FusionOptions,
): number {
  if (!HEAD_FUSIONS.includes(heads))
    throw new OptionError("CHOICE", { op, name: "heads", choices: HEAD_FUSIONS, got: heads });
  if (maps.length === 0)
    throw new OptionError("NUMBER_RANGE", { op, name: "the number of layers", rule: "1 or more", got: 0 });
  const { T, S } = maps[0]!;
  for (const [layer, map] of maps.entries()) {
    if (map.T !== T || map.S !== T) {
      const got = layer === 0 ? `T=${T} queries of S=${S} keys` : `${map.T} × ${map.S}`;
      throw new OptionError("LAYERS_DIFFER", { op, layer, T, S: T, got });
    }
    if (map.rowSums === "dropped") throw new OptionError("WEIGHTS_DROPPED", { op, layer });
  }
  return T;
}
