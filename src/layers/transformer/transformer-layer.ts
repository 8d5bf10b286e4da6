import * as tf from "@tensorflow/tfjs-core";
import type {
  BlockOptions,
  TransformerDecoderParameters,
  TransformerEncoderParameters,
  TransformerMask,
} from "../../attention/transformer/index.ts";
import { boolMask, type FieldValues, type LayerCall, MechanismLayer, zeroHidden } from "../base/index.ts";
import { namedParameters, type Part, readParameters, type transformerFields } from "./parameters.ts";

/** What the layers of encoder and decoder share. */
export abstract class TransformerLayer<F extends typeof transformerFields> extends MechanismLayer<F> {
  protected abstract readonly parts: readonly Part[];

  /** The fields of both, whose types are lost in `F`. */
  protected get common(): FieldValues<typeof transformerFields> {
    return this.config as unknown as FieldValues<typeof transformerFields>;
  }

  protected readParameters(): TransformerDecoderParameters {
    return readParameters(this.parts, (name) => this.weightIf(name));
  }

  protected blockOptions({ training, seed }: Pick<LayerCall, "training" | "seed">): BlockOptions {
    const { activation, normalizeFirst: preNorm, layerNormEpsilon: epsilon, dropout: rate } = this.common;
    return { activation, preNorm, epsilon, dropout: { rate, seed }, training };
  }

  /**
   * Sets the weights to these parameters, such as `fromTorchEncoderLayer` reads, which stay the caller's.
   *
   * @throws OptionError NOT_READY · ShapeError SHAPE when they are not this layer's
   */
  setParameters(parameters: TransformerEncoderParameters | TransformerDecoderParameters): void {
    this.setNamed(namedParameters(parameters));
  }
}

/** A Keras mask [B, S] of keys and an attention mask [B, T, S] as a mask of a block. */
export function blockMask(
  op: string,
  keys: { title: string; mask: tf.Tensor | undefined; size: readonly [number, number] },
  pairs?: { title: string; mask: tf.Tensor | undefined; size: readonly [number, number, number] },
): TransformerMask {
  const visible = boolMask(op, keys.title, keys.mask, keys.size);
  const allowed = pairs && boolMask(op, pairs.title, pairs.mask, pairs.size);
  const both = [
    ...(visible ? [tf.reshape(visible, [visible.shape[0]!, 1, 1, visible.shape[1]!])] : []),
    ...(allowed ? [tf.expandDims(allowed, 1)] : []),
  ];
  return both.length > 0 ? { allow: both.reduce((a, b) => tf.logicalAnd(a, b)) } : {};
}

/** x with zeros where it has no positions, so that whatever stands there reaches no gradient. */
export function present(op: string, title: string, x: tf.Tensor3D, mask: tf.Tensor | undefined): tf.Tensor3D {
  return zeroHidden(x, boolMask(op, title, mask, x.shape.slice(0, 2)));
}
