import type { Statement } from "../statement.ts";
import type { Basin } from "./basin.ts";

/** The first deviations of the Gaussians that search, in pixels. */
const SIGMAS = [0.5, 2, 4];

/** The share of the offsets of 4 pixels or more from which every search ended within `least`. */
const foundFar = (worst: Basin, least: number) => {
  const far = worst.filter((_, offset) => offset >= 4);
  return far.filter((distance) => distance <= least).length / far.length;
};

/** What `heed prove` runs of the glimpses. */
export const glimpseStatements: readonly Statement[] = [
  {
    name: "glimpse/location-policy",
    row: 41,
    statement:
      "A policy learns by the score function where to crop, and a classifier that sees the crop alone reads translated glyphs.",
    bars: [{ figure: "accuracy", atLeast: 0.9 }],
    quick: true,
    async run(onProgress) {
      const { trainPolicy } = await import("./policy.ts");
      return { ...(await trainPolicy({ onProgress })) };
    },
  },
  {
    name: "glimpse/doubly-stochastic",
    row: 42,
    statement:
      "The doubly stochastic penalty makes a caption's masks look at every part of the picture, and the caption stays right.",
    bars: [
      { figure: "ratio", atMost: 0.5 },
      { figure: "accuracy", atLeast: 0.99 },
      { figure: "accuracyWithout", atLeast: 0.99 },
    ],
    quick: true,
    async run(onProgress) {
      const { trainCaptions } = await import("./penalty.ts");
      const without = await trainCaptions({ weight: 0 });
      onProgress(0.5);
      const penalised = await trainCaptions({ weight: 1 });
      return {
        ratio: penalised.unevenness / without.unevenness,
        unevenness: penalised.unevenness,
        unevennessWithout: without.unevenness,
        accuracy: penalised.accuracy,
        accuracyWithout: without.accuracy,
      };
    },
  },
  {
    name: "glimpse/speed",
    row: 49,
    statement:
      "A spatial transformer is faster than a Gaussian glimpse at every size: 32² to 8², 256² to 32², 512² to 64², batches of 8.",
    bars: [
      { figure: "ratio32", atLeast: 1 },
      { figure: "ratio256", atLeast: 1 },
      { figure: "ratio512", atLeast: 1 },
    ],
    quick: true,
    async run(onProgress) {
      const { SIZES, speed } = await import("./speed.ts");
      const figures: Record<string, number> = {};
      for (const [n, [H, h]] of SIZES.entries()) {
        const { gaussian, transformer, ratio } = await speed(H, h);
        Object.assign(figures, {
          [`ratio${H}`]: ratio,
          [`gaussianMs${H}`]: gaussian,
          [`transformerMs${H}`]: transformer,
        });
        onProgress((n + 1) / SIZES.length);
      }
      return figures;
    },
  },
  {
    name: "glimpse/basin",
    row: 49,
    statement:
      "Searching a crop by its gradient, Gaussians find it from all of 0 to 12 pixels away, whatever their first deviation; a spatial transformer only from nearby.",
    bars: [
      ...SIGMAS.map((sigma) => ({ figure: `gaussian${sigma}`, atMost: 0.7 })),
      { figure: "reachTransformer", atMost: 3 },
      { figure: "farTransformer", atMost: 0.1 },
    ],
    quick: true,
    async run(onProgress) {
      const { basin, FOUND, reach } = await import("./basin.ts");
      const parts = SIGMAS.length + 1;
      const part = (n: number) => (share: number) => onProgress((n + share) / parts);
      const worst = await basin({ onProgress: part(0) });
      const figures: Record<string, number> = {
        reachTransformer: reach(worst),
        farTransformer: foundFar(worst, FOUND),
      };
      for (const [n, sigma] of SIGMAS.entries()) {
        const gaussian = await basin({ sigma, onProgress: part(n + 1) });
        figures[`gaussian${sigma}`] = Math.max(...gaussian);
      }
      return figures;
    },
  },
  {
    name: "glimpse/support",
    row: 49,
    statement:
      "A pixel of a spatial transformer's glimpse depends on 4 pixels of the image, one of a Gaussian glimpse with σ = 1 on nearly 80.",
    bars: [
      { figure: "transformer", atLeast: 4, atMost: 4 },
      { figure: "gaussian", atLeast: 60, atMost: 90 },
    ],
    quick: true,
    async run() {
      const { support } = await import("./speed.ts");
      return { ...(await support()) };
    },
  },
  {
    name: "glimpse/draw",
    row: 51,
    statement:
      "A tiny DRAW that reads and writes glyphs through 5 × 5 Gaussians makes them again with less than half of the error of a blank canvas.",
    bars: [{ figure: "lowered", atLeast: 0.5 }],
    quick: true,
    async run(onProgress) {
      const { trainDraw } = await import("./autoencoder.ts");
      const { error, blank } = await trainDraw({ onProgress });
      return { lowered: 1 - error / blank, error, blank };
    },
  },
  {
    name: "glimpse/tracking",
    row: 52,
    statement:
      "A recurrent network follows an object among others like it through Gaussian glimpses, over 20 frames, where a box that stays loses it.",
    bars: [
      { figure: "overlap", atLeast: 0.6 },
      { figure: "gain", atLeast: 0.3 },
    ],
    quick: true,
    async run(onProgress) {
      const { trainTracker } = await import("./tracking.ts");
      const { overlap, still } = await trainTracker({ onProgress });
      return { overlap, gain: overlap - still, still };
    },
  },
];
