import type { Trace } from "../inspect/index.ts";
import { decodePng, gaussianAxis, gaussianMarginals, type Picture } from "../viz/index.ts";
import { MOST_PANELS, needGlimpses, refuseSize } from "./glimpse.ts";
import { titled } from "./layers.ts";
import { type DrawOptions, refuse, within } from "./options.ts";

/** A mask has a rectangle for each pixel: of larger images, a pixel of each block is drawn. */
const MOST_PIXELS = 48;

/** How wide it is by itself, with a title; beside others it is smaller. */
const PANEL = 400;

/** A mask, and the step that it is of. */
export interface Marginals {
  readonly step: number;
  /** Every so many pixels one is drawn. */
  readonly block: number;
  readonly svg: string;
}

/** How much each row and each column of the image is looked at, for each Gaussian glimpse of a trace with an image. */
export function marginalsOf(trace: Trace, options: DrawOptions): readonly Marginals[] {
  const pixels = decodePng(trace.image!);
  const steps = [...trace.glimpses.keys()].slice(0, MOST_PANELS);
  return steps.flatMap((step) => {
    const size = sizeOf(trace, step, options);
    if (!isGaussian(trace, step) || !size) return [];
    return [{ step, ...draw(trace, step, pixels, size, { ...options, title: `step ${step}` }) }];
  });
}

/** The same of one glimpse. */
export function marginalsView(op: string, trace: Trace, options: DrawOptions): string {
  const { image, glimpses } = needGlimpses(op, "marginals", trace);
  const gaussian = [...glimpses.keys()].find((step) => isGaussian(trace, step)) ?? 0;
  const step = within(op, "step", options.step ?? gaussian, glimpses.length, "the trace");
  if (!isGaussian(trace, step)) {
    const rule = "be Gaussian, of six numbers, for the view marginals";
    refuse(op, `glimpse ${step}`, rule, "one of [2, 3]", "choose another step, or the view glimpse");
  }
  const size = sizeOf(trace, step, options) ?? refuseSize(op, "marginals", step);
  const pixels = decodePng(image);
  const block = blockOf(pixels);
  const part = block > 1 ? `, one of ${block} × ${block} pixels` : "";
  const { title = titled(trace, `glimpse ${step}${part}`) } = options;
  return draw(trace, step, pixels, size, { ...options, title }, PANEL).svg;
}

type Sides = Pick<Picture, "height" | "width">;

const blockOf = ({ height, width }: Sides) => Math.ceil(Math.max(height, width) / MOST_PIXELS);

const isGaussian = ({ glimpses }: Trace, step: number) => glimpses[step]!.shape.length === 1;

const sizeOf = ({ glimpseSizes }: Trace, step: number, options: DrawOptions) =>
  options.glimpseSize ?? glimpseSizes?.[step];

function draw(
  { glimpses }: Trace,
  step: number,
  { height, width }: Sides,
  [rows, columns]: readonly [number, number],
  { title, palette, theme }: DrawOptions,
  panelWidth?: number,
): Omit<Marginals, "step"> {
  const block = blockOf({ height, width });
  const axis = (pixels: number, count: number, [u, d, s]: readonly number[]) =>
    // The middle of block b is pixel block·b + (block − 1)/2.
    gaussianAxis(Math.ceil(pixels / block), count, {
      ...{ u: (u! - (block - 1) / 2) / block, d: d! / block, s: s! / block },
    });
  const numbers = Array.from(glimpses[step]!.slice());
  const data = {
    y: axis(height, rows, numbers.slice(0, 3)),
    x: axis(width, columns, numbers.slice(3)),
  };
  const look = {
    ...(palette && { palette }),
    ...(theme && { theme }),
    ...(panelWidth && { panelWidth }),
  };
  return { block, svg: gaussianMarginals(data, { ...(title !== undefined && { title }), ...look }) };
}
