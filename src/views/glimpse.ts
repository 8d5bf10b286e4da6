import type { Trace } from "../inspect/index.ts";
import { affineBox, decodePng, type GlimpsePanel, gaussianBox, glimpse, type Picture } from "../viz/index.ts";
import { titled } from "./layers.ts";
import { refuse } from "./named.ts";
import { within } from "./options.ts";
import type { ViewRecord } from "./view.ts";

const AFFINE_SIZE = [24, 24] as const;
/** Later steps are not drawn. */
export const MOST_PANELS = 8;

/**
 * Where a model looked in an image, and what it saw there.
 *
 * A glimpse of six numbers is Gaussian: u, d and s (first centre, distance, deviation, in pixels) of the rows, then of the
 * columns. One of [2, 3] is a spatial transformer's θ with aligned corners.
 */
export const glimpseView: ViewRecord<"glimpse"> = {
  name: "glimpse",
  label: "Glimpses",
  title: "Glimpses",
  caption: "Where the model looked in the image, step by step, and what it saw there.",
  needs: ["glimpses"],
  chooses: ["steps"],
  svg(trace, options) {
    const { image, glimpses } = trace as Required<Trace>;
    const picture = decodePng(image);
    const steps =
      options.step === undefined
        ? [...glimpses.keys()].slice(0, MOST_PANELS)
        : [within("step", options.step, glimpses.length, "the trace")];
    const panels = steps.map((step): GlimpsePanel => {
      const tensor = glimpses[step]!;
      const numbers = tensor.slice();
      const affine = tensor.shape.length === 2;
      const size = options.glimpseSize ?? trace.glimpseSizes?.[step] ?? (affine ? AFFINE_SIZE : undefined);
      if (!size) return refuseSize("glimpse", step);
      const [u, d, s, v, e, r] = Array.from(numbers) as [number, number, number, number, number, number];
      const box = affine
        ? affineBox(numbers, [picture.height, picture.width], true)
        : gaussianBox({ u, d }, { u: v, d: e }, size);
      const seen = affine
        ? warped(picture, numbers, size)
        : blurred(picture, { u, d, s }, { u: v, d: e, s: r }, size);
      return { name: `step ${step}`, glimpse: seen, box };
    });
    const rest = glimpses.length > panels.length ? ` (${panels.length} of ${glimpses.length})` : "";
    const shown =
      options.step === undefined
        ? `glimpses${rest}`
        : `glimpse, step ${options.step} (of ${glimpses.length})`;
    const { theme, title = titled(trace, shown) } = options;
    return glimpse({ image: picture, glimpses: panels }, { title, ...(theme && { theme }) });
  },
  page: (_, __, draw) => [{ caption: glimpseView.caption, svg: draw() }],
};

export function refuseSize(view: string, step: number): never {
  const rule = `have its rows and columns said for the view ${view}: a Gaussian one reaches as far as it has them`;
  return refuse(`glimpse ${step}`, rule, "no glimpseSize", "say it, such as 12x12");
}

type Size = readonly [rows: number, columns: number];

/** θ's samples of the image, bilinear, black beyond it. */
function warped(image: Picture, theta: ArrayLike<number>, [rows, columns]: Size): Picture {
  const { height: H, width: W, channels = 1, values } = image;
  const out = new Float32Array(rows * columns * channels);
  const spread = (at: number, n: number) => (n === 1 ? 0 : (2 * at) / (n - 1) - 1);
  const pixel = (y: number, x: number, c: number) =>
    y >= 0 && y < H && x >= 0 && x < W ? values[(y * W + x) * channels + c]! : 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const [a, b] = [spread(j, columns), spread(i, rows)];
      const x = ((theta[0]! * a + theta[1]! * b + theta[2]! + 1) * (W - 1)) / 2;
      const y = ((theta[3]! * a + theta[4]! * b + theta[5]! + 1) * (H - 1)) / 2;
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [right, down] = [x - left, y - top];
      for (let c = 0; c < channels; c++)
        out[(i * columns + j) * channels + c] =
          (pixel(top, left, c) * (1 - right) + pixel(top, left + 1, c) * right) * (1 - down) +
          (pixel(top + 1, left, c) * (1 - right) + pixel(top + 1, left + 1, c) * right) * down;
    }
  return { height: rows, width: columns, channels, values: out };
}

interface Axis {
  readonly u: number;
  readonly d: number;
  readonly s: number;
}

/** A_y · image · A_xᵀ, each row of A a Gaussian that sums to 1. */
function blurred(image: Picture, y: Axis, x: Axis, [rows, columns]: Size): Picture {
  const { height: H, width: W, channels = 1, values } = image;
  const down = gaussians(y, rows, H);
  const across = gaussians(x, columns, W);
  const half = new Float64Array(rows * W * channels);
  for (let i = 0; i < rows; i++)
    for (let p = 0; p < H; p++)
      for (let e = 0; e < W * channels; e++)
        half[i * W * channels + e]! += down[i * H + p]! * values[p * W * channels + e]!;
  const out = new Float32Array(rows * columns * channels);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      for (let p = 0; p < W; p++)
        for (let c = 0; c < channels; c++)
          out[(i * columns + j) * channels + c]! += across[j * W + p]! * half[(i * W + p) * channels + c]!;
  return { height: rows, width: columns, channels, values: out };
}

function gaussians({ u, d, s }: Axis, count: number, size: number): Float64Array {
  const out = new Float64Array(count * size);
  for (let r = 0; r < count; r++) {
    let sum = 0;
    for (let p = 0; p < size; p++) sum += out[r * size + p] = Math.exp(-0.5 * ((p - u - r * d) / s) ** 2);
    for (let p = 0; p < size; p++) out[r * size + p]! /= sum || 1;
  }
  return out;
}
