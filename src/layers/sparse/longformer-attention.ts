import * as tf from "@tensorflow/tfjs-core";
import { longformerAttention } from "../../attention/sparse/longformer.ts";
import { outputWeights } from "../base/heads.ts";
import {
  byDefault,
  flag,
  integer,
  type Kind,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  required,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import {
  type Heads,
  headsOf,
  headWeights,
  outputOf,
  selfFields,
  selfInputs,
  unpadded,
} from "./self-attention.ts";

const positions: Kind<readonly number[], readonly number[]> = {
  rule: "a list of different integers ≥ 0",
  read: (given) => {
    const fits = Array.isArray(given) && given.every((n) => Number.isSafeInteger(n) && n >= 0);
    return fits && new Set(given).size === given.length ? [...given] : undefined;
  },
  write: (value) => [...value],
};
const even: Kind<number, number> = {
  rule: "an even integer ≥ 2",
  read: (given) => (Number.isSafeInteger(given) && given >= 2 && given % 2 === 0 ? given : undefined),
  write: (value) => value,
};
const fields = {
  ...selfFields,
  /** w: w/2 keys on each side, or before the query alone with `causal`; Hugging Face's attention_window. */
  attentionWindow: required(even),
  /** Distance of neighbouring keys in the window. @default 1 */
  dilation: byDefault(integer(1), 1),
  /** Positions that see everything and that everything sees, such as a class token's [0]. @default [] */
  globalPositions: byDefault(positions, []),
  /** Hides later keys. @default false */
  causal: byDefault(flag(), false),
};
const LOCAL = { query: "H", key: "Hkv", value: "Hkv" } as const;
const GLOBAL = { query_global: "H", key_global: "Hkv", value_global: "Hkv" } as const;

export type LongformerAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Longformer's self-attention with its projections: a sliding window, and global positions with projections of their
 * own.
 *
 *     output = [head_1; …; head_H]·Wo,    head_h = longformerAttention(x·Wq_h, x·Wk_h, x·Wv_h)
 *
 * Symbols: Wq `query/kernel`, Wk `key/kernel`, Wv `value/kernel`, Wo `attention_output/kernel`; for global positions
 * `query_global/kernel` and so on; each with a bias unless `useBias` is false.
 * Shapes: x [B, T, C] → [B, T, C]; weights [C, H, D], [C, Hkv, D] and [H, D, C].
 * Conventions: the mask of x must be of padding at the end; padded positions are seen by no one, and give what a
 * query gives that sees nothing, the output's bias. A layer without global positions has no weights for them. No
 * dropout.
 * Cost: O(B·H·T·(w + g)·D), g global positions.
 * Paper: Beltagy, Peters & Cohan 2020, §3.1, arxiv.org/abs/2004.05150.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT, NUMBER_RANGE · ShapeError SIZE, HEADS
 * @example
 * const layer = new LongformerAttention({ numHeads: 2, keyDim: 3, attentionWindow: 2, globalPositions: [0] });
 * layer.apply(values).shape; // [2, 5, 7]
 */
export class LongformerAttention extends MechanismLayer<typeof fields> {
  static readonly className = "LongformerAttention";
  static readonly inputs = selfInputs;
  static readonly fields: typeof fields = fields;

  get #heads(): Heads {
    const { numHeads: H, numKeyValueHeads: Hkv = H, keyDim: D, useBias } = this.config;
    return { H, Hkv, D, useBias };
  }

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const isGlobal = this.config.globalPositions.length > 0;
    const { H, D, useBias } = this.#heads;
    return {
      ...headWeights(LOCAL, this.#heads, C!),
      ...(isGlobal && headWeights(GLOBAL, this.#heads, C!)),
      ...outputWeights([H, D, C!], useBias),
    };
  }

  protected override compute([given]: tf.Tensor[], { masks }: LayerCall): tf.Tensor {
    const { attentionWindow, dilation, globalPositions, causal } = this.config;
    const { x, keyLengths, present } = unpadded(this.op, given as tf.Tensor3D, masks[0]);
    const weight = (name: string) => this.weightIf(name);
    const heads = (name: string, of = x) => headsOf(of, name, weight);
    const side = attentionWindow / 2;
    const isGlobal = globalPositions.length > 0;
    const asking = () => tf.gather(x, tf.tensor1d([...globalPositions], "int32"), 1);
    const { output } = longformerAttention(heads("query"), heads("key"), heads("value"), {
      ...{ window: { left: side, right: side }, dilation, causal, keyLengths },
      ...(isGlobal && {
        global: {
          positions: globalPositions,
          q: heads("query_global", asking()),
          k: heads("key_global"),
          v: heads("value_global"),
        },
      }),
    });
    const seen = present ? tf.where(tf.expandDims(present, 1), output, 0) : output;
    return outputOf(seen as tf.Tensor4D, weight);
  }
}
