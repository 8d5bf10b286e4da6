import type * as tf from "@tensorflow/tfjs-core";
import { learnedEncoding } from "../../attention/position/learned.ts";
import {
  byDefault,
  initializer,
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  ours,
  required,
  type Sizes,
  seed,
  type WeightTable,
} from "../base/index.ts";
import { encoded, encodingFields, encodingInputs, encodingOptions, startOf } from "./encoding.ts";

const fields = {
  /** Tmax, the longest sequence. */
  sequenceLength: required(integer(1)),
  /** @default "glorotUniform" */
  initializer: byDefault(initializer(), "glorotUniform"),
  ...encodingFields,
  seed: ours(seed()),
};

export type PositionEmbeddingLayerOptions = LayerOptions<typeof fields>;

/**
 * KerasHub's `PositionEmbedding`: a learned vector for every position.
 *
 *     out_t = table_t,    or x_t + table_t with `add`
 *
 * Symbols: table the weight `embeddings`.
 * Shapes: x [B, T, C] → [B, T, C]; weight [Tmax, C], T ≤ Tmax.
 * Conventions: as in KerasHub the output is the encoding alone, to be added to embeddings, unless `add` says to do
 * it. The call option `startIndex` is the position of the first vector. Masks pass.
 * Cost: O(B·T·C).
 * Paper: Gehring et al. 2017, §3.1, arxiv.org/abs/1705.03122.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const positions = new PositionEmbedding({ sequenceLength: 16, add: true });
 * positions.apply(queries).shape; // [2, 3, 4]
 */
export class PositionEmbedding extends MechanismLayer<typeof fields> {
  static readonly className = "PositionEmbedding";
  static readonly inputs = encodingInputs;
  static readonly fields: typeof fields = fields;
  static readonly callOptions = encodingOptions;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const { sequenceLength, initializer } = this.config;
    return { embeddings: { shape: [sequenceLength, C!], initializer } };
  }

  protected override compute([x]: tf.Tensor[], call: LayerCall): tf.Tensor {
    const table = this.weight<tf.Tensor2D>("embeddings");
    const encoding = learnedEncoding({ table }, x!.shape[1]!, { offset: startOf(call) });
    return encoded(x!, encoding, this.config.add);
  }
}
