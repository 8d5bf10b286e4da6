import * as tf from "@tensorflow/tfjs-core";
import { gatedDelta } from "../../attention/linear/gated-delta.ts";
import { rmsNorm, unit } from "../../attention/sequence/normalize-rows.ts";
import { linear } from "../../ops/linear.ts";
import {
  byDefault,
  flag,
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  optional,
  type Sizes,
} from "../base/index.ts";
import {
  type HeadWeights,
  headFields,
  headWeights,
  join,
  present,
  projection,
  seen,
  selfInputs,
  split,
} from "./heads.ts";

/** Under the roots of lengths and means of squares. */
const EPSILON = 1e-6;

const fields = {
  ...headFields,
  /** Forget, by a decay that each position chooses; without it, the delta rule alone. @default true */
  useDecay: byDefault(flag(), true),
  /** Positions of one chunk. @default 32 */
  chunkSize: optional(integer(1)),
};

export type GatedDeltaNetOptions = LayerOptions<typeof fields>;

/**
 * The mixer of Gated DeltaNet: a state that each position corrects and lets fade, read, normalised and gated.
 *
 *     head_h = rms(gatedDelta(q_h, k_h, v_h; g_h, β_h)) ⊙ silu(x·Wg_h),    output = [head_1; …; head_H]·Wo
 *     q, k = silu(x·W) of length 1,    v = silu(x·Wv),    β = σ(x·Wβ),    g = −e^a softplus(x·Wa + b)
 *
 * Symbols: Wβ `beta/kernel`, Wa `decay/kernel`, b `decay/bias`, a `decay/log_rate`, Wg `gate/kernel`; rms the root mean
 * square norm of a head, with `norm/gamma`; silu(y) = y·σ(y); the others as `LinearAttention`'s.
 * Shapes: x [B, T, C] → [B, T, C]; Wβ and Wa [C, H], a and b [H], gate [C, H, Dv], gamma [Dv].
 * Conventions: causal always. Hidden positions neither write nor fade, and get 0 from every head. The paper puts a
 * short convolution before silu: place a causal `tf.layers.conv1d` before the layer for it.
 * Cost: that of `gatedDelta`. Paper: Yang, Kautz & Hatamizadeh 2024, §3.3, arxiv.org/abs/2412.06464.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT · ShapeError SIZE
 * @example
 * const layer = new GatedDeltaNet({ numHeads: 2, keyDim: 3 });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class GatedDeltaNet extends MechanismLayer<typeof fields> {
  static readonly className = "GatedDeltaNet";
  static readonly inputs = selfInputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): HeadWeights {
    const { numHeads: H, keyDim: D, valueDim: Dv = D, useDecay } = this.config;
    return {
      ...headWeights(this.config, C!),
      ...projection("gate", C!, Dv, this.config),
      "norm/gamma": { shape: [Dv], initializer: "ones" },
      "beta/kernel": { shape: [C!, H], kind: "kernel" },
      "decay/kernel": useDecay && { shape: [C!, H], kind: "kernel" },
      "decay/bias": useDecay && { shape: [H], kind: "bias" },
      "decay/log_rate": useDecay && { shape: [H], initializer: "zeros" },
    };
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor {
    const weight = (name: string) => this.weightIf(name);
    const { query: x, queryMask, valueMask } = present(this.op, inputs, call);
    const { useDecay, chunkSize } = this.config;
    const { output } = gatedDelta(
      unit(silu(split(x, "query", weight)), EPSILON),
      unit(silu(split(x, "key", weight)), EPSILON),
      silu(split(x, "value", weight)),
      {
        beta: perHead(tf.sigmoid(linear(x, this.weight("beta/kernel")))),
        ...(useDecay && { decay: this.#decay(x) }),
      },
      { chunkSize, keyAllow: valueMask },
    );
    const read = rmsNorm(output, this.weight("norm/gamma"), EPSILON);
    return join(seen(tf.mul(read, silu(split(x, "gate", weight))), queryMask), weight);
  }

  /** g = −e^a softplus(x·Wa + b) [B, H, T] */
  #decay(x: tf.Tensor3D): tf.Tensor3D {
    const pace = tf.softplus(linear(x, this.weight("decay/kernel"), this.weight("decay/bias")));
    return perHead(tf.neg(tf.mul(tf.exp(this.weight("decay/log_rate")), pace)));
  }
}

function silu(x: tf.Tensor4D): tf.Tensor4D {
  return tf.mul(x, tf.sigmoid(x));
}

/** [B, T, H] → [B, H, T] */
function perHead(x: tf.Tensor): tf.Tensor3D {
  return tf.transpose(x as tf.Tensor3D, [0, 2, 1]);
}
