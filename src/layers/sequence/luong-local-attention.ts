import * as tf from "@tensorflow/tfjs-core";
import { concatScore } from "../../attention/score/concat.ts";
import { dotScore } from "../../attention/score/dot.ts";
import { generalScore } from "../../attention/score/general.ts";
import type { Score } from "../../attention/score/score.ts";
import { luongLocalAttention } from "../../attention/sequence/luong-local.ts";
import {
  byDefault,
  choice,
  dropout,
  flag,
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  optional,
  type Shape,
  type Sizes,
  seed,
  type WeightTable,
  weightFields,
  zeroHidden,
} from "../base/index.ts";
import { queryValueInputs, queryValueShape, readQueryValue } from "./query-value.ts";

const fields = {
  /** Whether p_t is predicted (local-p) or the step t itself (local-m). @default "predictive" */
  alignment: byDefault(choice("predictive", "monotonic"), "predictive"),
  /** Keys seen on each side of p_t, the paper's D. @default 10 */
  radius: byDefault(integer(1), 10),
  /** @default "general" */
  score: byDefault(choice("dot", "general", "concat"), "general"),
  /** Hidden units of the position's network and of the concat score. @default the width of the queries */
  units: optional(integer(1)),
  /** Lets the weights of local-p sum to 1 again after the Gaussian factor. @default false, as in the paper */
  renormalize: byDefault(flag(), false),
  ...dropout,
  ...weightFields("kernel", "glorotUniform"),
  seed: seed(),
};

export type LuongLocalAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Luong's local attention with its own weights: every query reads a window around its own step, or around a position
 * that it predicts.
 *
 *     local-p:  p_t = S · σ(v_pᵀ tanh(W_p query_t)),    α_ts = softmax_s(score(query_t, key_s)) · exp(−(s − p_t)²/2σ²)
 *     output_t = Σ_s α_ts value_s,    |s − p_t| ≤ radius,    σ = radius/2
 *
 * Symbols: W_p `position/kernel`, v_p `position/scale`; the general score's W `score/kernel` [Cq, Ck], the concat
 * score's W `score/kernel` [Cq + Ck, A] and v `score/scale` [A]; S where an example's mask ends.
 * Shapes: [query [B, T, Cq], value [B, S, Cv], key [B, S, Ck]?] → [B, T, Cv]; without a key the values are the keys.
 * Conventions: the mask of the values hides keys, and is read from the device for S; that of the queries makes rows of
 * the output 0, as does an empty window.
 * Cost: that of `luongLocalAttention`. Paper: Luong, Pham & Manning 2015, §3.2, arxiv.org/abs/1508.04025.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE, DIMENSION
 * @example
 * const layer = new LuongLocalAttention({ radius: 2 });
 * layer.apply([queries, values]).shape; // [2, 3, 7]
 */
export class LuongLocalAttention extends MechanismLayer<typeof fields> {
  static readonly className = "LuongLocalAttention";
  static readonly inputs = queryValueInputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ Cq, Cv, Ck = Cv! }: Sizes): WeightTable<typeof fields> {
    const { alignment, score, units: A = Cq! } = this.config;
    const isPredictive = alignment === "predictive";
    return {
      "position/kernel": isPredictive && { shape: [Cq!, A], kind: "kernel" },
      "position/scale": isPredictive && { shape: [A], kind: "kernel", matrix: [A, 1] },
      "score/kernel": score !== "dot" && {
        shape: score === "general" ? [Cq!, Ck] : [Cq! + Ck, A],
        kind: "kernel",
      },
      "score/scale": score === "concat" && { shape: [A], kind: "kernel", matrix: [A, 1] },
    };
  }

  protected override shapeOf(shapes: readonly Shape[]): Shape {
    return queryValueShape(shapes);
  }

  get #score(): Score {
    const { score } = this.config;
    if (score === "dot") return dotScore();
    const w = this.weight<tf.Tensor2D>("score/kernel");
    return score === "general" ? generalScore({ w }) : concatScore({ w, v: this.weight("score/scale") });
  }

  protected override compute(given: tf.Tensor[], { masks, training, seed: own }: LayerCall): tf.Tensor {
    const { queries, keys, values, present, visible } = readQueryValue(this.op, given, masks);
    const [B, S] = values.shape;
    const wp = this.weightIf<tf.Tensor2D>("position/kernel");
    const { radius, renormalize, dropout } = this.config;
    // S of an example ends with its last key: what lies before and is masked is hidden, but has a place.
    const places = visible && tf.mul(tf.cast(visible, "float32"), tf.range(1, S + 1));
    const length = places && tf.broadcastTo(tf.max(places, 1), [B]);
    const { output } = luongLocalAttention(
      { queries, keys, values },
      wp && { wp, vp: this.weight("position/scale") },
      {
        radius,
        renormalize,
        training,
        score: this.#score,
        dropout: { rate: dropout, seed: own },
        ...(visible && { mask: { allow: tf.expandDims(visible, 1), keyLengths: length as tf.Tensor1D } }),
      },
    );
    return zeroHidden(output, present);
  }
}
