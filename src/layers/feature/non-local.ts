import type * as tf from "@tensorflow/tfjs-core";
import { nonLocal } from "../../attention/feature/index.ts";
import {
  byDefault,
  choice,
  integer,
  type LayerCall,
  type LayerOptions,
  number,
  optional,
  type Shape,
  type Sizes,
  type WeightTable,
  weightFields,
} from "../base/index.ts";
import { type Attended, AttendingLayer, FEATURES, positions, returnAttention } from "./attending.ts";
import { layerFields, useBias } from "./fields.ts";

const fields = {
  /** How two positions are compared. @default "embeddedGaussian" */
  kind: byDefault(choice("embeddedGaussian", "gaussian", "dot", "concatenation"), "embeddedGaussian"),
  /** Width of queries, keys and values. @default half of the channels, 1 at least */
  units: optional(integer(1)),
  /** Factor of the scores, for the two Gaussian kinds. @default 1 */
  scale: byDefault(
    number("a finite number", (given) => Number.isFinite(given)),
    1,
  ),
  useBias,
  ...layerFields,
  ...returnAttention,
  ...weightFields("output", "zeros"),
};

export type NonLocalLayerOptions = LayerOptions<typeof fields>;

/**
 * Non-local block: every position of an image or a video reads all positions, and adds what it read to itself.
 *
 *     output_i = x_i + W_z (Σ_j w_ij (W_g x_j + b_g)) + b_z,    w_ij of `kind`
 *
 * Symbols: W_θ `theta/kernel`, W_φ `phi/kernel`, W_g `value/kernel`, W_z `output/kernel`, each with a `bias`, and for
 * `concatenation` w_f `pair/kernel`. Shapes: x [B, …, C] → as x; D = `units`.
 * Conventions: as `nonLocal`; W_z begins at 0 (`outputInitializer`), so that the block begins as the identity.
 * `embeddedGaussian` has no bias of φ, which it would not notice. Masks of sequences are passed on and hide nothing
 * here. Cost: as `nonLocal`'s. Paper: Wang et al. 2018, §3, arxiv.org/abs/1711.07971.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const block = new NonLocal({ units: 4 });
 * const x = tf.randomNormal([2, 5, 5, 8], 0, 1, "float32", 1);
 * tf.max(tf.abs(tf.sub(block.apply(x), x))); // 0
 */
export class NonLocal extends AttendingLayer<typeof fields> {
  static readonly className = "NonLocal";
  static readonly inputs = FEATURES;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const { kind, useBias: biased } = this.config;
    const { units: D = Math.max(1, Math.floor(C! / 2)) } = this.config;
    const embedded = kind !== "gaussian";
    const bias = (width: number) => biased && ({ shape: [width], kind: "bias" } as const);
    return {
      "theta/kernel": embedded && { shape: [C!, D], kind: "kernel" },
      "theta/bias": embedded && bias(D),
      "phi/kernel": embedded && { shape: [C!, D], kind: "kernel" },
      // With concatenation it would only repeat theta's.
      "phi/bias": kind === "dot" && bias(D),
      "pair/kernel": kind === "concatenation" && { shape: [2 * D], kind: "kernel", matrix: [2 * D, 1] },
      "value/kernel": { shape: [C!, D], kind: "kernel" },
      "value/bias": bias(D),
      "output/kernel": { shape: [D, C!], kind: "output" },
      "output/bias": bias(C!),
    };
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    const N = positions(x!);
    return [[x![0]!, N, N]];
  }

  protected override attend([x]: tf.Tensor[], _: LayerCall, wanted: boolean): Attended {
    const { kind, scale } = this.config;
    const parameters = {
      wTheta: this.weightIf<tf.Tensor2D>("theta/kernel"),
      bTheta: this.weightIf<tf.Tensor1D>("theta/bias"),
      wPhi: this.weightIf<tf.Tensor2D>("phi/kernel"),
      bPhi: this.weightIf<tf.Tensor1D>("phi/bias"),
      wF: this.weightIf<tf.Tensor1D>("pair/kernel"),
      wG: this.weight<tf.Tensor2D>("value/kernel"),
      bG: this.weightIf<tf.Tensor1D>("value/bias"),
      wZ: this.weight<tf.Tensor2D>("output/kernel"),
      bZ: this.weightIf<tf.Tensor1D>("output/bias"),
    };
    return nonLocal(x!, parameters, { kind, scale, weights: wanted });
  }
}
