import type * as tf from "@tensorflow/tfjs-core";
import { sinusoidalEncoding } from "../../attention/position/sinusoidal.ts";
import { byDefault, type LayerCall, type LayerOptions, MechanismLayer, positive } from "../base/index.ts";
import { encoded, encodingFields, encodingInputs, encodingOptions, startOf } from "./encoding.ts";

const fields = {
  /** The longest wavelength is 2π times this many positions. @default 10000 */
  maxWavelength: byDefault(positive(), 10_000),
  ...encodingFields,
};

export type SinusoidalPositionEncodingLayerOptions = LayerOptions<typeof fields>;

/**
 * Sinusoidal positions, KerasHub's `SinePositionEncoding`: sines and cosines of wavelengths up to 2π·maxWavelength.
 *
 *     PE(t, 2i) = sin(t / maxWavelength^(2i/C)),    PE(t, 2i+1) = cos of the same
 *
 * Symbols: t a position, i a pair of channels.
 * Shapes: x [B, T, C] → [B, T, C].
 * Conventions: as in KerasHub the output is the encoding alone, to be added to embeddings, unless `add` says to do
 * it. The call option `startIndex` is the position of the first vector. No weights; masks pass.
 * Cost: O(B·T·C).
 * Paper: Vaswani et al. 2017, §3.5, arxiv.org/abs/1706.03762.
 *
 * @throws OptionError UNKNOWN, OPTION · ShapeError SHAPE
 * @example
 * const positions = new SinusoidalPositionEncoding({ add: true });
 * positions.apply(queries).shape; // [2, 3, 4]
 */
export class SinusoidalPositionEncoding extends MechanismLayer<typeof fields> {
  static readonly className = "SinusoidalPositionEncoding";
  static readonly inputs = encodingInputs;
  static readonly fields: typeof fields = fields;
  static readonly callOptions = encodingOptions;

  protected override compute([x]: tf.Tensor[], call: LayerCall): tf.Tensor {
    const [, T, C] = x!.shape as [number, number, number];
    const options = { base: this.config.maxWavelength, offset: startOf(call) };
    return encoded(x!, sinusoidalEncoding(T, C, options), this.config.add);
  }
}
