import { createTrace, type Trace, traceTensor } from "../../inspect/index.ts";
import { encodePng, type TrackOptions, track } from "../../viz/index.ts";
import type { FrameBox } from "./compose.ts";
import type { Footage } from "./tracker.ts";

/**
 * The frames in their order, each with the tracker's box, and the true one where that is known.
 *
 * @returns an SVG document
 */
export function drawTrack(
  { frames, height, width }: Footage,
  boxes: readonly FrameBox[],
  truth?: readonly FrameBox[],
  options: TrackOptions = {},
): string {
  const title = truth ? "What the tracker follows, and where that is (dashed)" : "What the tracker follows";
  return track(
    frames.map((values, t) => ({
      name: String(t),
      picture: { height, width, values },
      boxes: [boxes[t]!, ...(truth ? [truth[t]!] : [])],
    })),
    { title, ...options },
  );
}

/**
 * All frames side by side as one image, and on it the glimpses that were taken of each, for the view glimpse.
 *
 * @param seen a capture with one glimpse a frame, in order
 */
export function sideBySide({ frames, height, width }: Footage, seen: Trace): Trace {
  const W = width * frames.length;
  const data = new Uint8Array(height * W);
  for (const [t, frame] of frames.entries())
    for (const [at, light] of frame.entries())
      data[Math.floor(at / width) * W + t * width + (at % width)] = 255 * Math.min(1, Math.max(0, light));
  const glimpses = seen.glimpses.map((glimpse, t) => {
    // u, d and s of the rows, then of the columns, the first of which moves with its frame.
    const numbers = glimpse.slice();
    return traceTensor(
      [6],
      numbers.map((number, n) => (n === 3 ? number + t * width : number)),
    );
  });
  return createTrace({
    ...{ name: "track", tokens: {}, layers: [], glimpses },
    image: encodePng({ width: W, height, channels: 1, data }),
    ...(seen.glimpseSizes && { glimpseSizes: seen.glimpseSizes }),
  });
}
