import {
  abs,
  add,
  cast,
  clipByValue,
  floor,
  type GradConfig,
  gather,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  mul,
  range,
  reshape,
  round,
  scalar,
  split,
  sub,
  type Tensor,
  type Tensor4D,
  tidy,
  where,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../core/errors.ts";
import { notAChoice } from "../core/faults.ts";
import { detached } from "./attention/guard.ts";
import { checkRank, checkTensors } from "./check.ts";
import { ensureGradient, isFused, noSecondOrder, runKernel } from "./registry.ts";

const OP = "gridSample";
const KERNEL = "HeedGridSample";

export type Interpolation = "bilinear" | "nearest";
export type Padding = "zeros" | "border" | "reflection";

export interface GridSampleOptions {
  /**
   * What −1 and 1 mean: `true` the centres of the outermost pixels (Sonnet, the paper's code), `false` their outer
   * edges (PyTorch's default since 1.3). There is no default: libraries disagree, and a glimpse half a pixel off still
   * looks right.
   */
  alignCorners: boolean;
  /** @default "bilinear" */
  interpolation?: Interpolation;
  /** What lies outside the image: nothing, the nearest pixel, or the image reflected. @default "zeros" */
  padding?: Padding;
}

const gradient: GradConfig = {
  kernelName: KERNEL,
  inputsToSave: ["image", "grid"],
  // Each is made where it is asked for: an image that is data needs none, and its gradient is as large as it is.
  gradFunc: (given, saved, attrs) => {
    const [image, grid] = saved as [Tensor, Tensor];
    const dy = given as Tensor;
    const shape = image.shape;
    return {
      image: () => runKernel(`${KERNEL}GradImage`, { grid, dy }, { ...attrs, shape }),
      grid: () =>
        attrs.interpolation === "nearest"
          ? zerosLike(grid)
          : runKernel(`${KERNEL}GradGrid`, { image, grid, dy }, attrs),
    };
  },
};

/** A position in pixels, in two parts: the pixel before it, and how far behind that it is. */
interface Position {
  readonly cell: Tensor;
  readonly fraction: Tensor;
}

/**
 * Coordinates as positions in pixels, padding included. A position held at an edge has no gradient there.
 *
 * A position is ±product + shift, where the product of coordinate and half the size is rounded once and the shift is a
 * number of half pixels. Its fraction is taken from the product, not from the position: near 7 that is rounded to 2e-7.
 */
function positions(
  coordinates: Tensor,
  size: number,
  { alignCorners, padding }: GridSampleOptions,
): Position {
  const product = mul(coordinates, (alignCorners ? size - 1 : size) / 2);
  const middle = scalar((size - 1) / 2);
  if (padding === "zeros") return parted(product, middle);
  const { signed, shift } =
    padding === "reflection" ? reflected(product, size, alignCorners) : { signed: product, shift: middle };
  const at = add(detached(signed), shift);
  const top = scalar(size - 1);
  const [isBelow, isAbove] = [lessEqual(at, 0), greaterEqual(at, top)];
  const held = where(isBelow, scalar(0), where(isAbove, top, shift));
  return parted(where(isBelow, scalar(0), where(isAbove, scalar(0), signed)), held);
}

/** The pixel before signed + shift, and the rest. */
function parted(signed: Tensor, shift: Tensor): Position {
  const cell = floor(add(detached(signed), shift));
  return { cell, fraction: sub(signed, sub(cell, shift)) };
}

/** Positions that run to and fro between the image's edges. */
function reflected(product: Tensor, size: number, alignCorners: boolean): { signed: Tensor; shift: Tensor } {
  const least = alignCorners ? 0 : -0.5;
  const span = alignCorners ? size - 1 : size;
  if (span === 0) return { signed: zerosLike(product), shift: zerosLike(product) };
  // From the first edge on: product + start; its size is the distance, whose sign `side` takes away.
  const start = (size - 1) / 2 - least;
  const from = add(detached(product), start);
  const side = where(less(from, 0), scalar(-1), scalar(1));
  const flips = floor(mul(abs(from), 1 / span));
  const isEven = less(sub(flips, mul(floor(mul(flips, 0.5)), 2)), 1);
  const forth = sub(mul(side, start), mul(flips, span));
  return {
    signed: mul(product, where(isEven, side, mul(side, -1))),
    shift: where(isEven, add(forth, least), sub(least + span, forth)),
  };
}

/** The pixels at whole positions [B, N], 0 outside: [B, N, C]. */
function pixels(image: Tensor4D, column: Tensor, row: Tensor): Tensor {
  const [B, H, W, C] = image.shape;
  const within = (at: Tensor, size: number) => logicalAnd(greater(at, -0.5), less(at, size - 0.5));
  const index = (at: Tensor, size: number) => cast(clipByValue(at, 0, size - 1), "int32");
  const first = reshape(mul(range(0, B, 1, "int32"), scalar(H, "int32")), [B, 1]);
  const rows = mul(add(first, index(row, H)), scalar(W, "int32"));
  const found = gather(reshape(image, [B * H * W, C]), cast(add(rows, index(column, W)), "int32"));
  const inside = reshape(logicalAnd(within(column, W), within(row, H)), [...column.shape, 1]);
  return where(inside, found, scalar(0));
}

function composed(image: Tensor4D, grid: Tensor4D, options: GridSampleOptions): Tensor4D {
  const [B, H, W, C] = image.shape;
  const [, h, w] = grid.shape;
  const [first, second] = split(reshape(grid, [B, h * w, 2]), 2, 2) as [Tensor, Tensor];
  const x = positions(reshape(first, [B, h * w]), W, options);
  const y = positions(reshape(second, [B, h * w]), H, options);
  const column = (t: Tensor) => reshape(t, [B, h * w, 1]);
  if (options.interpolation === "nearest") {
    // Nothing times the position: the grid has a gradient, which is 0, and what is not finite gives NaN.
    const nothing = column(mul(add(x.fraction, y.fraction), 0));
    const nearest = ({ cell, fraction }: Position) => round(add(cell, detached(fraction)));
    return reshape(add(pixels(image, nearest(x), nearest(y)), nothing), [B, h, w, C]);
  }
  const [x0, y0] = [x.cell, y.cell];
  const [right, lower] = [column(x.fraction), column(y.fraction)];
  const [left, upper] = [sub(1, right), sub(1, lower)];
  const [x1, y1] = [add(x0, 1), add(y0, 1)];
  const top = add(mul(pixels(image, x0, y0), left), mul(pixels(image, x1, y0), right));
  const bottom = add(mul(pixels(image, x0, y1), left), mul(pixels(image, x1, y1), right));
  return reshape(add(mul(top, upper), mul(bottom, lower)), [B, h, w, C]);
}

/**
 * Samples images at the points of a grid: the sampler of a spatial transformer.
 *
 *     out[b, i, j] = Σ_n Σ_m image[b, n, m] · max(0, 1 − |x − m|) · max(0, 1 − |y − n|),    (x, y) from grid[b, i, j]
 *     alignCorners      x = (g_x + 1)/2 · (W − 1)
 *     otherwise         x = ((g_x + 1) · W − 1)/2
 *
 * Symbols: g the grid, x before y, from −1 to 1 over the image; n, m pixels, whose centres lie at integers.
 * Shapes: image [B, H, W, C], grid [B, h, w, 2] → [B, h, w, C].
 * Conventions: a point reads the four pixels around it (two along each axis), "nearest" the one whose centre is
 * nearest, halves to even numbers. Points outside read what `padding` says; with zeros, a point within a pixel of the
 * edge fades out. A position that is not finite gives NaN. Equal to PyTorch's grid_sample with channels last, and so
 * are the gradients: of the image and, with "bilinear", of the grid; "nearest" gives the grid 0.
 * Cost: O(B·h·w·C), whatever the image's size; the image's gradient O(B·H·W·C) besides. One kernel on `heed`.
 * Paper: Jaderberg et al. 2015, §3.3, eq. 5, arxiv.org/abs/1506.02025.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION, and GRADIENT for gradients of gradients on `heed`
 * @draws
 * const [image, turn] = [tf.tensor4d([...Array(144).keys()].map((n) => ((n >> 2) + Math.floor(n / 48)) % 2), [1, 12, 12, 1]), 0.6];
 * const theta = tf.tensor3d([[[Math.cos(turn), -Math.sin(turn), 0], [Math.sin(turn), Math.cos(turn), 0]]]);
 * return gridSample(image, affineGrid(theta, [24, 24], { alignCorners: false }), { alignCorners: false });
 * @example
 * const image = tf.tensor4d([1, 3, 5, 7], [1, 2, 2, 1]);
 * const grid = tf.tensor4d([0, 0, -1, 1], [1, 1, 2, 2]); // the centre, and the lower left corner
 * tf.reshape(gridSample(image, grid, { alignCorners: true }), [-1]); // [4, 5]
 */
export function gridSample(image: Tensor4D, grid: Tensor4D, options: GridSampleOptions): Tensor4D {
  const { alignCorners, interpolation = "bilinear", padding = "zeros" } = options ?? {};
  checkRank(OP, "image [B, H, W, C]", image, 4);
  const [B, H, W, C] = image.shape;
  checkRank(OP, "grid [B, h, w, 2]", grid, 4);
  const [, h, w] = grid.shape;
  checkTensors(OP, [
    { name: "image", tensor: image, letters: "[B, H, W, C]", shape: [B, H, W, C] },
    { name: "grid", tensor: grid, letters: "[B, h, w, 2]", shape: [B, h, w, 2] },
  ]);
  if (H === 0 || W === 0) {
    throw new ShapeError("SHAPE", {
      op: OP,
      rule: "image must have H ≥ 1 rows and W ≥ 1 columns",
      got: `H = ${H} and W = ${W}`,
      remedy: "an image without pixels has nothing to sample",
    });
  }
  checkChoice("alignCorners", [true, false], alignCorners);
  checkChoice("interpolation", ["bilinear", "nearest"], interpolation);
  checkChoice("padding", ["zeros", "border", "reflection"], padding);
  return tidy(() => {
    const attrs = { alignCorners, interpolation, padding };
    if (!isFused(KERNEL)) return composed(image, grid, attrs);
    ensureGradient(gradient);
    for (const kernel of ["GradImage", "GradGrid"]) noSecondOrder(KERNEL + kernel, OP);
    return runKernel(KERNEL, { image, grid }, attrs) as Tensor4D;
  });
}

function checkChoice(name: string, choices: readonly unknown[], got: unknown): void {
  if (choices.includes(got)) return;
  throw new OptionError("OPTION", notAChoice({ op: OP, name, choices: choices.map(String), got }));
}
