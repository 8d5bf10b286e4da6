import * as tf from "@tensorflow/tfjs-core";
import { orthogonalRandomFeatures, performerAttention } from "../../attention/linear/performer.ts";
import {
  byDefault,
  type Initializer,
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  type Sizes,
} from "../base/index.ts";
import {
  causalFields,
  crossInputs,
  type HeadWeights,
  headFields,
  headWeights,
  join,
  present,
  seen,
  split,
} from "./heads.ts";

const fields = {
  ...headFields,
  ...causalFields,
  /** Random features m. @default 128 */
  features: byDefault(integer(1), 128),
};

export type PerformerAttentionOptions = LayerOptions<typeof fields>;

/**
 * The initialiser of random directions that are orthogonal in blocks.
 *
 * @example
 * const draw = new OrthogonalFeatures({ seed: 1 });
 * draw.apply([8, 4]).shape; // [8, 4]
 */
export class OrthogonalFeatures extends tf.serialization.Serializable {
  static readonly className = "OrthogonalFeatures";
  static readonly inputs = crossInputs;
  static readonly fields: typeof fields = fields;
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
 * Conventions: one input attends to itself. Masks hide keys, and queries get 0 from every head. The directions come
 * from `seed`, and stay: `layer.redraw(seed)` draws others.
 * Cost: that of `performerAttention`. Paper: Choromanski et al. 2021, §2, arxiv.org/abs/2009.14794.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT · ShapeError SIZE, RECURRENT_LENGTHS
 * @example
 * const layer = new PerformerAttention({ numHeads: 2, keyDim: 3, features: 16, seed: 1 });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class PerformerAttention extends MechanismLayer<typeof fields> {
  static readonly className = "PerformerAttention";

  protected override parameters({ C, Cv }: Sizes): HeadWeights {
    const { features: m, keyDim: D } = this.config;
    const initializer = new OrthogonalFeatures() as unknown as Initializer;
    return {
      ...headWeights(this.config, C!, Cv),
      features: { shape: [m, D], initializer, trainable: false },
    };
  }

  /** Draws other directions; the layer must be built. */
  redraw(seed: number): void {
    const { features: m, keyDim: D } = this.config;
    const variable = this.weight("features") as tf.Variable;
    tf.tidy(() => variable.assign(orthogonalRandomFeatures(m, D, { seed })));
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor {
    const weight = (name: string) => this.weightIf(name);
    const { query, value, queryMask, valueMask } = present(this.op, inputs, call);
    const { useCausalMask: causal, chunkSize } = this.config;
    const { output } = performerAttention(
      split(query, "query", weight),
      split(value, "key", weight),
      split(value, "value", weight),
      { w: this.weight("features") },
      { causal, chunkSize, keyAllow: valueMask },
    );
    return join(seen(output, queryMask), weight);
  }
}
