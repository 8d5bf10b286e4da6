import { OptionError } from "../../core/errors.ts";
import { notAChoice, outOfRange } from "../../core/faults.ts";
import { MASKED } from "../cells.ts";
import { checkNotDropped } from "../check.ts";
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

/** Sizes of a stack: S = P + T, where the first P keys are a prefix that has no queries. */
export interface StackSizes {
  readonly T: number;
  readonly S: number;
  readonly P: number;
}

/**
 * One layer as a matrix [S, S] whose rows sum to 1 (0 where a query sees nothing and there is no identity). A prefix is
 * what it was in every layer: its rows are those of the identity.
 */
export function fuseHeads(
  map: AttentionMap,
  { heads = "mean", identity = true }: FusionOptions,
  weightOf: (weight: number, visible: number) => number = (weight) => weight,
): Float64Array<ArrayBuffer> {
  const { H, T, S } = map;
  const P = S - T;
  const fused = new Float64Array(S * S);
  for (let p = 0; p < P; p++) fused[p * S + p] = 1;
  for (let t = 0; t < T; t++) {
    const to = fused.subarray((P + t) * S, (P + t + 1) * S);
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
    if (identity) to[P + t]! += 1;
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
  const { T, S } = maps[0]!;
  const offset = S - T;
  const isCausal = maps.every(({ maskSpec }) => maskSpec?.right === 0 && (maskSpec.offset ?? 0) === offset);
  if (!isCausal) return {};
  return { maskSpec: offset === 0 ? { right: 0 } : { right: 0, offset } };
}

/** Checks what ways through a stack may be asked of. */
export function checkLayers(
  op: string,
  maps: readonly AttentionMap[],
  { heads = "mean" }: FusionOptions,
): StackSizes {
  if (!HEAD_FUSIONS.includes(heads))
    throw new OptionError("OPTION", notAChoice({ op, name: "heads", choices: HEAD_FUSIONS, got: heads }));
  if (maps.length === 0)
    throw new OptionError(
      "OPTION",
      outOfRange({ op, name: "the number of layers", rule: "1 or more", got: 0 }),
    );
  const { T, S, maskSpec } = maps[0]!;
  const P = S - T;
  // Only the mask tells a prefix from keys of another sequence.
  if (P !== 0 && (maskSpec?.offset ?? 0) !== P) {
    const remedy =
      P > 0
        ? `say maskSpec.offset = ${P} where the first keys are a prefix, or use encoderDecoderRelevance for ` +
          "attention to another sequence"
        : "pass the layers of one stack";
    throw layersDiffer(op, 0, T, T, `T=${T} queries of S=${S} keys`, remedy);
  }
  for (const [layer, map] of maps.entries()) {
    const isAlike = map.T === T && map.S === S && (P === 0 || map.maskSpec?.offset === P);
    if (!isAlike) {
      const where = map.T === T && map.S === S ? " with another maskSpec.offset" : "";
      throw layersDiffer(op, layer, T, S, `${map.T} × ${map.S}${where}`, "pass the layers of one stack");
    }
    checkNotDropped(op, layer, map.rowSums);
  }
  return { T, S, P };
}

function layersDiffer(op: string, layer: number, T: number, S: number, got: string, remedy: string) {
  const rule = `every layer must be self-attention over the same positions, ${T} × ${S} here`;
  return new OptionError("SHAPE", { op, rule, got: `${got} in layer ${layer}`, remedy, layer });
}
