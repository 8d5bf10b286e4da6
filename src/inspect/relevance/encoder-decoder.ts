import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { checkNotDropped } from "../check.ts";
import { denseMap } from "../map/dense.ts";
import type { AttentionMap } from "../map/map.ts";
import { identity, passed, raised, withoutResidual } from "./gradient.ts";
import { multiply, type Rollout } from "./rollout.ts";

/** A layer's weights and the gradient of the model's number by them, [H, T, S] flat. */
export interface AttributedMap {
  readonly map: AttentionMap;
  readonly gradient: ArrayLike<number>;
}

export interface EncoderDecoder {
  /** First layer first; may be empty, where the decoder reads what no attention mixed. */
  readonly encoder: readonly AttributedMap[];
  /** Self-attention, where a layer has it, then attention to the encoder. */
  readonly decoder: readonly { readonly self?: AttributedMap; readonly cross: AttributedMap }[];
}

/**
 * Gradient relevance through an encoder and a decoder: how much each source position counts for one number of the model, at
 * each target position.
 *
 *     encoder   R_ss = I,    R_ss ← R_ss + Ā · R_ss                       for each layer
 *     decoder   R_tt = I,    R_ts = 0, then for each layer
 *               self    R_ts ← R_ts + Ā · R_ts,    R_tt ← R_tt + Ā · R_tt
 *               cross   R_ts ← R_ts + R̄_ttᵀ · Ā · R̄_ss
 *     R̄ = I + rows of (R − I) scaled to sum to 1,    Ā = mean over heads of (dA ⊙ A)⁺
 *
 * Symbols: A weights, dA the gradient of the number by them, t target and s source positions.
 * Shapes: maps [H, S, S] of the encoder, [H, T, T] and [H, T, S] of the decoder → [T, S]. The row of the position that the
 * number was read from is what counts for it. Rows do not sum to 1. Cost: O(layers·(S³ + T³ + T²·S + T·S²)).
 * Paper: Chefer, Gur & Wolf 2021, § 3.1, eq. 5 to 10, arxiv.org/abs/2103.15679, for models like DETR, whose encoder does not
 * read the decoder.
 *
 * @throws ShapeError SHAPE · OptionError NOT_DISTRIBUTION, OPTION
 * @example
 * const map = denseMap({ H: 1, T: 1, S: 2, weights: [0.5, 0.5] });
 * encoderDecoderRelevance({ encoder: [], decoder: [{ cross: { map, gradient: [3, -1] } }] }).weights; // Float64Array [1.5, 0]
 */
export function encoderDecoderRelevance({ encoder, decoder }: EncoderDecoder): Rollout {
  const op = "encoderDecoderRelevance";
  if (decoder.length === 0) {
    const name = "the number of decoder layers";
    throw new OptionError("OPTION", outOfRange({ op, name, rule: "1 or more", got: 0 }));
  }
  const { T, S } = decoder[0]!.cross.map;
  let ofSource = identity(S);
  for (const [layer, one] of encoder.entries())
    ofSource = passed(checked(op, "encoder", layer, one, S, S), ofSource, S, S);
  const source = normalized(ofSource, S);
  let ofTarget = identity(T);
  let relevance = new Float64Array(T * S);
  for (const [layer, { self, cross }] of decoder.entries()) {
    if (self) {
      const mixing = checked(op, "decoder", layer, self, T, T);
      relevance = passed(mixing, relevance, T, S);
      ofTarget = passed(mixing, ofTarget, T, T);
    }
    const seen = multiply(checked(op, "decoder", layer, cross, T, S), source, T, S, S);
    const added = multiply(transposed(normalized(ofTarget, T), T), seen, T, T, S);
    relevance = relevance.map((x, e) => x + added[e]!);
  }
  const map = denseMap({ H: 1, T, S, weights: relevance, rowSums: "free" });
  return { weights: relevance, map };
}

/** Ā of a layer that must be [H, T, S]. */
function checked(
  op: string,
  part: "encoder" | "decoder",
  layer: number,
  { map, gradient }: AttributedMap,
  T: number,
  S: number,
): Float64Array {
  if (map.T !== T || map.S !== S) {
    const rule = `the map of ${part} layer ${layer} must have ${T} queries and ${S} keys`;
    const remedy = "pass the layers of one model and input";
    throw new ShapeError("SHAPE", { op, rule, got: `${map.T} and ${map.S}`, remedy });
  }
  checkNotDropped(op, layer, map.rowSums);
  return raised(op, `the gradient of ${part} layer ${layer}`, map, gradient);
}

/** I + rows of (R − I) scaled to sum to 1. */
function normalized(R: Float64Array, n: number): Float64Array {
  const out = withoutResidual(R, n);
  for (let i = 0; i < n; i++) out[i * n + i]! += 1;
  return out;
}

function transposed(R: Float64Array, n: number): Float64Array {
  return R.map((_, e) => R[(e % n) * n + Math.floor(e / n)]!);
}
