import * as tf from "@tensorflow/tfjs-core";
import { orthogonalRandomFeatures, performerAttention } from "../../attention/linear/performer.ts";
import {
  byDefault,
  CROSS,
  causalMask,
  HeadLayer,
  type Heads,
  headFields,
  type Initializer,
  integer,
  type LayerOptions,
  sharedHeads,
  type WeightTable,
} from "../base/index.ts";
import { chunks } from "./chunks.ts";

const fields = {
  ...headFields,
  ...sharedHeads,
  ...causalMask,
  ...chunks,
  /** Random features m. @default 128 */
  features: byDefault(integer(1), 128),
};

export type PerformerAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * The initialiser of random directions that are orthogonal in blocks.
 *
 * @example
 * const draw = new OrthogonalFeatures({ seed: 1 });
 * draw.apply([8, 4]).shape; // [8, 4]
 */
export class OrthogonalFeatures extends tf.serialization.Serializable {
  static readonly className = "OrthogonalFeatures";
  readonly #seed: number | undefined;

  constructor({ seed }: { seed?: number | null } = {}) {
    super();
    this.#seed = seed ?? undefined;
  }

  apply([m, D]: readonly number[]): tf.Tensor {
    return orthogonalRandomFeatures(m!, D!, { seed: this.#seed });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { seed: this.#seed ?? null };
  }
}

/**
 * Performer with projections: softmax attention from random features, in time linear in the positions.
 *
 *     head_h = performerAttention(query·Wq_h, value·Wk_h, value·Wv_h, w),    output = [head_1; …; head_H]·Wo
 *
 * Symbols: w `features`, random directions that all heads share, saved and not trained; the others as
 * `LinearAttention`'s.
 * Shapes: [query [B, T, C], value [B, S, Cv]?] → [B, T, C]; features [m, D].
 * Conventions: as `LinearAttention`. The directions come from `seed`, and stay: `layer.redraw(seed)` draws others.
 * Cost: that of `performerAttention`. Paper: Choromanski et al. 2021, §2, arxiv.org/abs/2009.14794.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new PerformerAttention({ numHeads: 2, keyDim: 3, features: 16, seed: 1 });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class PerformerAttention extends HeadLayer<typeof fields> {
  static readonly className = "PerformerAttention";
  static readonly inputs = CROSS;
  static readonly fields: typeof fields = fields;

  protected override extras(): WeightTable<typeof fields> {
    const { features: m, keyDim: D } = this.config;
    const initializer = new OrthogonalFeatures() as unknown as Initializer;
    return { features: { shape: [m, D], initializer, trainable: false } };
  }

  /** Draws other directions; the layer must be built. */
  redraw(seed: number): void {
    const { features: m, keyDim: D } = this.config;
    const variable = this.weight("features") as tf.Variable;
    tf.tidy(() => variable.assign(orthogonalRandomFeatures(m, D, { seed })));
  }

  protected override attend({ q, k, v, keyAllow }: Heads): tf.Tensor4D {
    const { useCausalMask: causal, chunkSize } = this.config;
    const parameters = { w: this.weight<tf.Tensor2D>("features") };
    return performerAttention(q, k, v, parameters, { causal, chunkSize, keyAllow }).output;
  }
}
