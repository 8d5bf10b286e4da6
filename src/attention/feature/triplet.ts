import * as tf from "@tensorflow/tfjs-core";
import { tidy } from "../../ops/tidy.ts";
import { imageSizes } from "./check.ts";
import { type ConvolutionParameters, checkConvolution, convolve } from "./convolution.ts";
import { notifyGate } from "./gated.ts";
import { meanAndMax } from "./pool.ts";

export interface TripletParameters {
  /** Over rows and columns; pools the channels. [height, width, 2, 1] */
  hw: ConvolutionParameters;
  /** Over rows and channels; pools the columns. [height, depth, 2, 1] */
  hc: ConvolutionParameters;
  /** Over columns and channels; pools the rows. [width, depth, 2, 1] */
  wc: ConvolutionParameters;
}

export interface TripletResult {
  /** [B, H, W, C] */
  output: tf.Tensor4D;
  /** The three maps, in (0, 1): hw [B, H, W, 1], hc [B, H, 1, C], wc [B, 1, W, C]. */
  map: { hw: tf.Tensor4D; hc: tf.Tensor4D; wc: tf.Tensor4D };
}

/**
 * Triplet attention: three maps, one for each pair of rows, columns and channels, each seeing the third pooled.
 *
 *     m_hw = σ(norm(f_hw(pool_c x))),    m_hc = σ(norm(f_hc(pool_w x))),    m_wc = σ(norm(f_wc(pool_h x)))
 *     out_hwc = x_hwc · (m_hw + m_hc + m_wc)/3,    pool = [mean ; max]
 *
 * Symbols: x images, f convolutions (7×7 in the paper), m maps.
 * Shapes: x [B, H, W, C], filters [·, ·, 2, 1] → output [B, H, W, C], maps of [B, H, W, C] with 1 where they pool.
 * Conventions: the channels meet rows and columns, so their order counts. Of a filter's two inputs the first is the
 * mean; the paper's code has the maximum first, and the filter of columns and channels the other way round.
 * Normalisations are folded into a scale and a shift, or functions. Only maps are turned, never the image.
 * Cost: O(B·(H·W·C + (H·W + H·C + W·C)·k²)) for k×k filters. Paper: Misra et al. 2021, §3.2, arxiv.org/abs/2010.03045.
 *
 * @throws ShapeError RANK, or SHAPE when a filter does not fit or is even
 * @draws
 * const x = tf.tensor4d(Array.from({ length: 1728 }, (_, e) => +(Math.abs(Math.floor(e / 144) - 4) < 3 && Math.abs((Math.floor(e / 12) % 12) - 7) < 3 && e % 12 < 5)), [1, 12, 12, 12]);
 * const f = { w: tf.fill([3, 3, 2, 1], 0.4), b: tf.tensor1d([-2]) };
 * const { map } = tripletAttention(x, { hw: f, hc: f, wc: f });
 * return tf.stack([map.hw, map.hc, map.wc].map((m) => tf.reshape(m, [12, 12])));
 * @example
 * const x = tf.ones([1, 3, 4, 5]);
 * const f = { w: tf.zeros([7, 7, 2, 1]) };
 * const { map } = tripletAttention(x, { hw: f, hc: f, wc: f });
 * [map.hw.shape, map.hc.shape, map.wc.shape]; // [[1, 3, 4, 1], [1, 3, 1, 5], [1, 1, 4, 5]]
 */
export function tripletAttention(x: tf.Tensor4D, { hw, hc, wc }: TripletParameters): TripletResult {
  const op = "tripletAttention";
  const { B, H, W, C } = imageSizes(op, x);
  for (const [name, f] of Object.entries({ hw, hc, wc })) checkConvolution(op, `${name}.`, f, 2, 1);
  return tidy(() => {
    const mapOf = (f: ConvolutionParameters, axis: number, shape: [number, number, number, number]) =>
      tf.reshape(tf.sigmoid(convolve(meanAndMax(x, axis), f)), shape) as tf.Tensor4D;
    const map = {
      hw: mapOf(hw, 3, [B, H, W, 1]),
      hc: mapOf(hc, 2, [B, H, 1, C]),
      wc: mapOf(wc, 1, [B, 1, W, C]),
    };
    for (const [name, one] of Object.entries(map)) notifyGate(op, `${name} map`, one);
    const sum = tf.add(tf.add(map.hw, map.hc), map.wc);
    return { output: tf.mul<tf.Tensor4D>(x, tf.div(sum, 3)), map };
  });
}
