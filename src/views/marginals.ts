import type { Trace } from "../inspect/index.ts";
import { decodePng, gaussianAxis, marginals, type Picture } from "../viz/index.ts";
import { MOST_PANELS, refuseSize } from "./glimpse.ts";
import { titled } from "./layers.ts";
import { refuse } from "./named.ts";
import { type PictureOptions, within } from "./options.ts";
import type { ViewRecord } from "./view.ts";

/** A mask has a rectangle for each pixel: of larger images, a pixel of each block is drawn. */
const MOST_PIXELS = 48;

/** How wide it is by itself, with a title; beside others it is smaller. */
const PANEL = 400;

/** How much each row and each column of the image is looked at, by one Gaussian glimpse. */
export const marginalsView: ViewRecord<"marginals"> = {
  name: "marginals",
  label: "Marginals",
  title: "Rows and columns of a glimpse",
  caption: "A Gaussian glimpse as the product of its rows and columns.",
  needs: ["glimpses"],
  suits: {
    rule: "have a Gaussian glimpse",
    isMet: (trace) => trace.glimpses.some((_, step) => isGaussian(trace, step)),
  },
  chooses: ["step"],
  svg(trace, options) {
    const { image, glimpses } = trace as Required<Trace>;
    const gaussian = [...glimpses.keys()].find((step) => isGaussian(trace, step)) ?? 0;
    const step = within("step", options.step ?? gaussian, glimpses.length, "the trace");
    if (!isGaussian(trace, step)) {
      const rule = "be Gaussian, of six numbers, for the view marginals";
      refuse(`glimpse ${step}`, rule, "one of [2, 3]", "choose another step, or the view glimpse");
    }
    const size = sizeOf(trace, step, options) ?? refuseSize("marginals", step);
    const pixels = decodePng(image);
    const block = blockOf(pixels);
    const part = block > 1 ? `, one of ${block} × ${block} pixels` : "";
    const { title = titled(trace, `glimpse ${step}${part}`) } = options;
    return draw(trace, step, pixels, size, { ...options, title }, PANEL);
  },
  /** Smaller ones, of each Gaussian glimpse whose size is known. */
  page(trace, options) {
    const pixels = decodePng(trace.image!);
    const block = blockOf(pixels);
    const part = block === 1 ? "" : ` One of ${block} × ${block} pixels is drawn.`;
    const steps = [...trace.glimpses.keys()].slice(0, MOST_PANELS);
    return steps.flatMap((step) => {
      const size = sizeOf(trace, step, options);
      if (!isGaussian(trace, step) || !size) return [];
      const svg = draw(trace, step, pixels, size, { ...options, title: `step ${step}` });
      return [{ caption: `Step ${step}: how much each row and each column is looked at.${part}`, svg }];
    });
  },
};

type Sides = Pick<Picture, "height" | "width">;

const blockOf = ({ height, width }: Sides) => Math.ceil(Math.max(height, width) / MOST_PIXELS);

const isGaussian = ({ glimpses }: Trace, step: number) => glimpses[step]!.shape.length === 1;

const sizeOf = ({ glimpseSizes }: Trace, step: number, options: PictureOptions) =>
  options.glimpseSize ?? glimpseSizes?.[step];

function draw(
  { glimpses }: Trace,
  step: number,
  { height, width }: Sides,
  [rows, columns]: readonly [number, number],
  { title, palette, theme }: PictureOptions,
  panelWidth?: number,
): string {
  const block = blockOf({ height, width });
  const axis = (pixels: number, count: number, [u, d, s]: readonly number[]) =>
    // The middle of block b is pixel block·b + (block − 1)/2.
    gaussianAxis(Math.ceil(pixels / block), count, {
      u: (u! - (block - 1) / 2) / block,
      d: d! / block,
      s: s! / block,
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
  return marginals(data, { ...(title !== undefined && { title }), ...look });
}
