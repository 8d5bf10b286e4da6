import * as tf from "@tensorflow/tfjs-core";
import { checkRank } from "../ops/check.ts";
import { tidy } from "../ops/tidy.ts";
import { convolution, convolutionSpecs } from "./maps.ts";
import type { ParameterSpecs, Parameters } from "./parameters.ts";

/** Of a grid of features: the channels of each 3 × 3 convolution, and how many rows and columns it steps over, 1 or 2. */
export type GridConfig = readonly { readonly channels: number; readonly stride: 1 | 2 }[];

/** Pictures of 64 × 64 pixels as 8 × 8 cells of 96 features, each of which sees 39 × 39 pixels. */
export const DEFAULT_GRID: GridConfig = [
  { channels: 32, stride: 2 },
  { channels: 64, stride: 2 },
  { channels: 64, stride: 1 },
  { channels: 96, stride: 2 },
  { channels: 96, stride: 1 },
];

/** The parameters of a grid over pictures of one channel. */
export function convolutionalGridSpecs(name: string, config: GridConfig = DEFAULT_GRID): ParameterSpecs {
  const specs = config.map(({ channels }, n) =>
    convolutionSpecs(`${name}/${n}`, config[n - 1]?.channels ?? 1, channels),
  );
  return Object.assign({}, ...specs);
}

/**
 * A picture as a grid of features that attention can look over: the cells are its keys.
 *
 *     x₀ = x,    xₙ₊₁ = ReLU(Wₙ ∗ xₙ + bₙ),    + xₙ where the size stays (a residual)
 *
 * Shapes: x [B, H, W, 1], 0 to 1 → [B, rows, columns, C]; each stride of 2 halves rows and columns, rounded up.
 *
 * @throws ShapeError RANK
 */
export function convolutionalGrid(
  parameters: Parameters,
  name: string,
  x: tf.Tensor4D,
  config: GridConfig = DEFAULT_GRID,
): tf.Tensor4D {
  checkRank("convolutionalGrid", "x [B, H, W, 1]", x, 4);
  return tidy(() =>
    config.reduce((before, { channels, stride }, n) => {
      const after = tf.relu(convolution(parameters, `${name}/${n}`, before, stride));
      return stride === 1 && before.shape[3] === channels ? tf.add(before, after) : after;
    }, x),
  );
}
