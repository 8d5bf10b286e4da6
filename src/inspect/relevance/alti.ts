import { checkNotNegative } from "../../core/check-options.ts";
import { checkElements, wrongElements } from "../check.ts";
import { denseMap } from "../map/dense.ts";
import type { AttentionMap } from "../map/map.ts";
import { checkLayers, scaleToOne, sharedMask } from "./fuse.ts";
import { multiply, type Rollout } from "./rollout.ts";

/** A layer's attention, with all that its output is made of. Arrays are row-major. */
export interface AltiLayer {
  /** [H, T, S] */
  readonly map: AttentionMap;
  /** [Hkv, S, Dv] */
  readonly values: ArrayLike<number>;
  /** The map after the heads, [H·Dv, C]. */
  readonly projection: ArrayLike<number>;
  /** Its bias, [C]. @default zeros */
  readonly bias?: ArrayLike<number>;
  /** [T, C], what the attention's output is added to. */
  readonly residual: ArrayLike<number>;
  /** The layer norm behind the sum, where it has one there. @default none, as where norms come first */
  readonly norm?: {
    readonly gamma: ArrayLike<number>;
    readonly beta: ArrayLike<number>;
    readonly epsilon: number;
  };
}

/**
 * ALTI: how much of each output comes from each input, by the vectors that attention adds and not by weights alone.
 *
 *     T_t(x_s) = L(Σ_h α^h_ts v^h_s W^h [+ x_t, where s is t]) / σ_t,    L z = γ ⊙ (z − mean z)
 *     C_ts ∝ max(0, ‖y_t‖₁ − ‖y_t − T_t(x_s)‖₁), rows summing to 1,    R = C_L · … · C_1
 *
 * Symbols: α weights, v values, W^h the output projection of a head, x the residual connection, σ_t the deviation that the norm
 * divides by, y_t the layer's attention block's output. Without a norm behind the sum L is the identity and σ is 1.
 * Shapes: layers of one stack, first layer first → [T, S]; a prefix of P = S − T keys as in `rollout`.
 * Conventions: biases belong to no input. A row in which nothing helps stays what it was. Values and residuals are those of the
 * run, such as `record` keeps. Cost: O(L·H·T·S·C).
 * Paper: Ferrando, Gállego & Costa-jussà 2022, § 3, arxiv.org/abs/2203.04212.
 *
 * @throws ShapeError SHAPE · OptionError SHAPE, NOT_DISTRIBUTION, OPTION
 * @example
 * const map = denseMap({ H: 1, T: 2, S: 2, weights: [1, 0, 0.5, 0.5] });
 * const layer = { map, values: [2, 4], projection: [1], residual: [1, 1] };
 * alti([layer]).weights; // Float64Array [1, 0, 0.25, 0.75]
 */
export function alti(layers: readonly AltiLayer[]): Rollout {
  const op = "alti";
  const maps = layers.map(({ map }) => map);
  const { T, S, P } = checkLayers(op, maps, {});
  let rolled: Float64Array<ArrayBuffer> | undefined;
  for (const [n, layer] of layers.entries()) {
    const own = new Float64Array(S * S);
    for (let p = 0; p < P; p++) own[p * S + p] = 1;
    own.set(contributions(op, n, layer), P * S);
    rolled = rolled ? multiply(own, rolled, S) : own;
  }
  const weights = rolled!.slice(P * S);
  return { weights, map: denseMap({ H: 1, T, S, weights, ...sharedMask(maps) }) };
}

/** C of one layer, [T, S]. */
function contributions(op: string, n: number, layer: AltiLayer): Float64Array {
  const { map, residual, norm, bias } = layer;
  const { H, T, S } = map;
  const C = residual.length / T;
  const moved = projected(op, n, layer, C);
  for (const [name, array] of Object.entries({ bias, ...norm }))
    if (typeof array === "object") checkElements(op, `${name} of layer ${n}`, "[C]", C, array.length);
  if (norm) checkNotNegative(op, `epsilon of layer ${n}`, norm.epsilon);
  const out = new Float64Array(T * S);
  const parts = new Float64Array(S * C);
  for (let t = 0; t < T; t++) {
    parts.fill(0);
    for (let h = 0; h < H; h++) {
      const { values: weights } = map.row(h, t);
      for (let s = 0; s < S; s++) {
        const w = weights[s]!;
        if (w === 0) continue;
        for (let c = 0; c < C; c++) parts[s * C + c]! += w * moved[(h * S + s) * C + c]!;
      }
    }
    for (let c = 0; c < C; c++) parts[(S - T + t) * C + c]! += residual[t * C + c]!;
    const row = out.subarray(t * S, (t + 1) * S);
    row.set(helped(parts, S, C, norm, bias));
    scaleToOne(row);
    if (row.every((x) => x === 0)) row[S - T + t] = 1;
  }
  return out;
}

/** v^h_s W^h: [H, S, C]. */
function projected(op: string, n: number, { map, values, projection }: AltiLayer, C: number): Float64Array {
  const { H, T, S } = map;
  const Dv = projection.length / (H * C);
  const Hkv = values.length / (S * Dv);
  if (!Number.isSafeInteger(C)) throw wrongElements(op, `residual of layer ${n}`, "[T, C]", T, C * T);
  if (!Number.isSafeInteger(Dv) || Dv === 0)
    throw wrongElements(op, `projection of layer ${n}`, "[H·Dv, C]", H * C, projection.length);
  if (!Number.isSafeInteger(Hkv) || Hkv === 0 || H % Hkv !== 0)
    throw wrongElements(op, `values of layer ${n}`, "[Hkv, S, Dv]", H * S * Dv, values.length);
  const out = new Float64Array(H * S * C);
  for (let h = 0; h < H; h++)
    for (let s = 0; s < S; s++)
      for (let d = 0; d < Dv; d++) {
        const value = values[(Math.floor((h * Hkv) / H) * S + s) * Dv + d]!;
        // Values of hidden keys may hold anything.
        if (!Number.isFinite(value)) continue;
        for (let c = 0; c < C; c++) out[(h * S + s) * C + c]! += value * projection[(h * Dv + d) * C + c]!;
      }
  return out;
}

/** max(0, ‖y‖₁ − ‖y − T(x_s)‖₁) for each s, of what each adds to the sum, which is changed. */
function helped(
  parts: Float64Array,
  S: number,
  C: number,
  norm: AltiLayer["norm"],
  bias: AltiLayer["bias"],
): Float64Array {
  const y = Float64Array.from({ length: C }, (_, c) => bias?.[c] ?? 0);
  for (let e = 0; e < S * C; e++) y[e % C]! += parts[e]!;
  if (norm) {
    const { gamma, beta, epsilon } = norm;
    const mean = meanOf(y);
    const deviation = Math.sqrt(meanOf(y.map((x) => (x - mean) ** 2)) + epsilon);
    for (let s = 0; s < S; s++) {
      const part = parts.subarray(s * C, (s + 1) * C);
      const own = meanOf(part);
      for (let c = 0; c < C; c++) part[c] = (gamma[c]! * (part[c]! - own)) / deviation;
    }
    for (let c = 0; c < C; c++) y[c] = (gamma[c]! * (y[c]! - mean)) / deviation + beta[c]!;
  }
  const length = y.reduce((sum, x) => sum + Math.abs(x), 0);
  return Float64Array.from({ length: S }, (_, s) => {
    let left = 0;
    for (let c = 0; c < C; c++) left += Math.abs(y[c]! - parts[s * C + c]!);
    return Math.max(0, length - left);
  });
}

const meanOf = (x: Float64Array): number => x.reduce((sum, one) => sum + one, 0) / x.length;
