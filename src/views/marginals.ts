import type { Trace } from "../inspect/index.ts";
import { decodePng, gaussianAxis, gaussianMarginals } from "../viz/index.ts";
import { MOST_PANELS } from "./glimpse.ts";
import type { DrawOptions } from "./options.ts";

/** A mask has a rectangle for each pixel: of larger images, a pixel of each block is drawn. */
const MOST_PIXELS = 48;

/** A mask, and the step that it is of. */
export interface Marginals {
  readonly step: number;
  /** Every so many pixels one is drawn. */
  readonly block: number;
  readonly svg: string;
}

/** How much each row and each column of the image is looked at, for each Gaussian glimpse of a trace with an image. */
export function marginalsOf(trace: Trace, options: DrawOptions): readonly Marginals[] {
  const { palette, theme } = options;
  const { height, width } = decodePng(trace.image!);
  const block = Math.ceil(Math.max(height, width) / MOST_PIXELS);
  const axis = (pixels: number, count: number, [u, d, s]: readonly number[]) =>
    // The middle of block b is pixel block·b + (block − 1)/2.
    gaussianAxis(Math.ceil(pixels / block), count, {
      ...{ u: (u! - (block - 1) / 2) / block, d: d! / block, s: s! / block },
    });
  return trace.glimpses.slice(0, MOST_PANELS).flatMap((glimpse, step) => {
    const size = options.glimpseSize ?? trace.glimpseSizes?.[step];
    if (glimpse.shape.length !== 1 || !size) return [];
    const [rows, columns] = size;
    const numbers = Array.from(glimpse.slice());
    const data = {
      y: axis(height, rows, numbers.slice(0, 3)),
      x: axis(width, columns, numbers.slice(3)),
    };
    const look = { title: `step ${step}`, ...(palette && { palette }), ...(theme && { theme }) };
    return [{ step, block, svg: gaussianMarginals(data, look) }];
  });
}
