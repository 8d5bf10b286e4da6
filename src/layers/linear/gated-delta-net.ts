import * as tf from "@tensorflow/tfjs-core";
import { gatedDelta } from "../../attention/linear/gated-delta.ts";
import { unit } from "../../attention/sequence/unit.ts";
import { linear } from "../../ops/linear.ts";
import { rmsNorm } from "../../ops/rms-norm.ts";
import { gatedSilu, silu } from "../../ops/silu.ts";
import {
  byDefault,
  flag,
  HeadLayer,
  type Heads,
  headFields,
  integer,
  type LayerOptions,
  optional,
  type Projections,
  SELF,
  type Sizes,
  sharedHeads,
  type WeightTable,
} from "../base/index.ts";

/** Under the roots of lengths and means of squares. */
const EPSILON = 1e-6;

const fields = {
  ...headFields,
  ...sharedHeads,
  /** Forget, by a decay that each position chooses; without it, the delta rule alone. @default true */
  useDecay: byDefault(flag(), true),
  /** Positions of one chunk. @default 32 */
  chunkSize: optional(integer(1)),
};

export type GatedDeltaNetLayerOptions = LayerOptions<typeof fields>;

/**
 * The mixer of Gated DeltaNet: a state that each position corrects and lets fade, read, normalised and gated.
 *
 *     head_h = rms(gatedDelta(q_h, k_h, v_h; g_h, β_h)) ⊙ silu(x·Wg_h),    output = [head_1; …; head_H]·Wo
 *     q, k = silu(x·W) of length 1,    v = silu(x·Wv),    β = σ(x·Wβ),    g = −e^a softplus(x·Wa + b)
 *
 * Symbols: Wβ `beta/kernel`, Wa `decay/kernel`, b `decay/bias`, a `decay/log_rate`, Wg `gate/kernel`; rms the root mean
 * square norm of a head, with `norm/gamma`; silu(y) = y·σ(y); the others as `LinearAttention`'s.
 * Shapes: x [B, T, C] → [B, T, C]; Wβ and Wa [C, Hkv], a and b [Hkv], gate [C, H, Dv], gamma [Dv].
 * Conventions: causal always. Hidden positions neither write nor fade, and get 0 from every head. No dropout: there
 * are no weights, a state is read. The paper puts a short convolution before silu: place a causal `tf.layers.conv1d`
 * before the layer for it.
 * Cost: that of `gatedDelta`. Paper: Yang, Kautz & Hatamizadeh 2024, §3.3, arxiv.org/abs/2412.06464.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new GatedDeltaNet({ numHeads: 2, keyDim: 3 });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class GatedDeltaNet extends HeadLayer<typeof fields> {
  static readonly className = "GatedDeltaNet";
  static readonly inputs = SELF;
  static readonly fields: typeof fields = fields;

  protected override projections(): Projections {
    return { ...super.projections(), gate: "gate" };
  }

  protected override extras({ C }: Sizes): WeightTable<typeof fields> {
    const { Hkv, Dv } = this.sizes;
    const { useDecay } = this.config;
    return {
      "norm/gamma": { shape: [Dv], initializer: "ones" },
      "beta/kernel": { shape: [C!, Hkv], kind: "kernel" },
      "decay/kernel": useDecay && { shape: [C!, Hkv], kind: "kernel" },
      "decay/bias": useDecay && { shape: [Hkv], kind: "bias" },
      "decay/log_rate": useDecay && { shape: [Hkv], initializer: "zeros" },
    };
  }

  protected override attend(heads: Heads): tf.Tensor4D {
    const x = heads.inputs.query;
    const { useDecay, chunkSize } = this.config;
    const gates = {
      beta: perHead(tf.sigmoid(linear(x, this.weight("beta/kernel")))),
      ...(useDecay && { decay: this.#decay(x) }),
    };
    const { output } = gatedDelta(
      unit(silu(heads.q), EPSILON),
      unit(silu(heads.k), EPSILON),
      silu(heads.v),
      gates,
      { chunkSize, keyAllow: heads.keyAllow },
    );
    const normal = rmsNorm(output, this.weight("norm/gamma"), { epsilon: EPSILON });
    return gatedSilu(heads.project("gate"), normal);
  }

  /** g = −e^a softplus(x·Wa + b) [B, Hkv, T] */
  #decay(x: tf.Tensor3D): tf.Tensor3D {
    const pace = tf.softplus(linear(x, this.weight("decay/kernel"), this.weight("decay/bias")));
    return perHead(tf.neg(tf.mul(tf.exp(this.weight("decay/log_rate")), pace)));
  }
}

/** [B, T, H] → [B, H, T] */
function perHead(x: tf.Tensor): tf.Tensor3D {
  return tf.transpose(x as tf.Tensor3D, [0, 2, 1]);
}
