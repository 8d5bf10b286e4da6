import { type Claim, type Metrics, missingImages, part, SEEDS, worstOf } from "../claim.ts";
import type { Basin } from "./basin.ts";

/** The first deviations of the Gaussians that search, in pixels. */
const SIGMAS = [0.5, 2, 4];

/** The share of the offsets of 4 pixels or more from which every search ended within `least`. */
const foundFar = (worst: Basin, least: number) => {
  const far = worst.filter((_, offset) => offset >= 4);
  return far.filter((distance) => distance <= least).length / far.length;
};

/** What is claimed of the glimpses. */
export const glimpseClaims: readonly Claim[] = [
  {
    name: "glimpse/recurrent-attention",
    claim:
      "A recurrent attention model learns by reward where to crop, and reads translated glyphs from three looks through hard crops alone.",
    thresholds: [{ metric: "accuracy", atLeast: 0.9 }],
    quick: false,
    async measure(onProgress) {
      const { trainRecurrentAttention } = await import("./recurrent-attention.ts");
      const learn = async (seed: number, report: (share: number) => void) => {
        const { accuracy, reach } = await trainRecurrentAttention({ steps: 1200, seed, onProgress: report });
        return { accuracy, reach };
      };
      return worstOf(SEEDS, [], learn, onProgress);
    },
  },
  {
    name: "glimpse/learned-places",
    claim:
      "The recurrent attention model that learns where to look makes at most half of the mistakes of one that looks at random, trained until it no longer gets better.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.95 },
      { metric: "mistakes", atMost: 0.5 },
      { metric: "randomSettled", atLeast: 1 },
    ],
    quick: false,
    async measure(onProgress) {
      const { trainRecurrentAttention } = await import("./recurrent-attention.ts");
      const given = { learnsPlaces: true, steps: 2400 };
      const { accuracy } = await trainRecurrentAttention({ ...given, onProgress: part(onProgress, 0, 2) });
      const other = { learnsPlaces: false, steps: 30_000, untilSettled: true };
      const random = await trainRecurrentAttention({ ...other, onProgress: part(onProgress, 1, 2) });
      const mistakes = (1 - accuracy) / (1 - random.accuracy);
      const went = { randomSteps: random.steps, randomSettled: Number(random.settled) };
      return { accuracy, random: random.accuracy, mistakes, ...went };
    },
  },
  {
    name: "glimpse/spatial-transformer",
    claim:
      "A classifier behind a spatial transformer reads glyphs among clutter better than the same classifier that sees the whole image, trained until it no longer gets better.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.9 },
      { metric: "gain", atLeast: 0.05 },
      { metric: "settledWithout", atLeast: 1 },
    ],
    quick: false,
    async measure(onProgress) {
      const { trainSpatialTransformer: train } = await import("./spatial-transformer.ts");
      const { accuracy } = await train({ transform: "crop", onProgress: part(onProgress, 0, 2) });
      const whole = { transform: "none", steps: 40_000, untilSettled: true } as const;
      const without = await train({ ...whole, onProgress: part(onProgress, 1, 2) });
      const went = { stepsWithout: without.steps, settledWithout: Number(without.settled) };
      return { accuracy, without: without.accuracy, gain: accuracy - without.accuracy, ...went };
    },
  },
  {
    name: "glimpse/doubly-stochastic",
    claim:
      "The doubly stochastic penalty makes a caption's masks look at every part of the picture, and the caption stays right.",
    thresholds: [
      { metric: "ratio", atMost: 0.5 },
      { metric: "accuracy", atLeast: 0.99 },
      { metric: "accuracyWithout", atLeast: 0.99 },
    ],
    quick: true,
    async measure(onProgress) {
      const { trainCaptions } = await import("./penalty.ts");
      const without = await trainCaptions({ weight: 0, onProgress: part(onProgress, 0, 2) });
      const penalised = await trainCaptions({ weight: 1, onProgress: part(onProgress, 1, 2) });
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
    name: "glimpse/basin",
    claim:
      "Searching a crop by its gradient, Gaussians find it from all of 0 to 12 pixels away, whatever their first deviation; a spatial transformer only from nearby.",
    thresholds: [
      ...SIGMAS.map((sigma) => ({ metric: `gaussian${sigma}`, atMost: 0.7 })),
      { metric: "reachTransformer", atMost: 3 },
      { metric: "farTransformer", atMost: 0.1 },
    ],
    quick: true,
    async measure(onProgress) {
      const { basin, FOUND, reach } = await import("./basin.ts");
      const parts = SIGMAS.length + 1;
      const worst = await basin({ onProgress: part(onProgress, 0, parts) });
      const metrics: Metrics = {
        reachTransformer: reach(worst),
        farTransformer: foundFar(worst, FOUND),
      };
      for (const [n, sigma] of SIGMAS.entries()) {
        const gaussian = await basin({ sigma, onProgress: part(onProgress, n + 1, parts) });
        metrics[`gaussian${sigma}`] = Math.max(...gaussian);
      }
      return metrics;
    },
  },
  {
    name: "glimpse/support",
    claim:
      "A pixel of a spatial transformer's glimpse depends on 4 pixels of the image, one of a Gaussian glimpse with σ = 1 on nearly 80.",
    thresholds: [
      { metric: "transformer", atLeast: 4, atMost: 4 },
      { metric: "gaussian", atLeast: 60, atMost: 90 },
    ],
    quick: true,
    async measure(onProgress) {
      const { support } = await import("./support.ts");
      const metrics = { ...(await support()) };
      onProgress(1);
      return metrics;
    },
  },
  {
    name: "glimpse/draw",
    claim:
      "A tiny DRAW that reads and writes glyphs through 5 × 5 Gaussians makes them again with less than half of the error of a blank canvas.",
    thresholds: [{ metric: "lowered", atLeast: 0.5 }],
    quick: false,
    async measure(onProgress) {
      const { trainDraw } = await import("./autoencoder.ts");
      const learn = async (seed: number, report: (share: number) => void) => {
        const { error, blank } = await trainDraw({ seed, onProgress: report });
        return { lowered: 1 - error / blank, error, blank };
      };
      return worstOf(SEEDS, ["error"], learn, onProgress);
    },
  },
  {
    name: "glimpse/tracking",
    claim:
      "A recurrent network follows an object among others like it through Gaussian glimpses, over 20 frames, where a box that stays loses it.",
    thresholds: [
      { metric: "overlap", atLeast: 0.6 },
      { metric: "gain", atLeast: 0.3 },
    ],
    quick: true,
    async measure(onProgress) {
      const { trainTracker } = await import("./tracking.ts");
      const { overlap, still } = await trainTracker({ onProgress });
      return { overlap, gain: overlap - still, still };
    },
  },
  {
    name: "glimpse/motion-prior",
    claim:
      "Of two trackers that follow every object, the one with a prior on motion finds one that was hidden for three frames at least twice as often as the other, trained until it no longer gets better; neither saw a hidden object before.",
    thresholds: [
      { metric: "ratio", atLeast: 2 },
      { metric: "settledWithout", atLeast: 1 },
      { metric: "before", atLeast: 0.95 },
      { metric: "beforeWithout", atLeast: 0.95 },
    ],
    quick: false,
    async measure(onProgress) {
      const { trainForOcclusion: train } = await import("./occlusion.ts");
      const both = async (seed: number, report: (share: number) => void) => {
        const { before, recovery } = await train({ prior: true, seed, onProgress: part(report, 0, 2) });
        const plain = await train({
          ...{ prior: false, steps: 3000, untilSettled: true, seed },
          onProgress: part(report, 1, 2),
        });
        const { before: beforeWithout, recovery: recoveryWithout } = plain;
        const went = { stepsWithout: plain.steps, settledWithout: Number(plain.settled) };
        return {
          ratio: recovery / recoveryWithout,
          recovery,
          recoveryWithout,
          before,
          beforeWithout,
          ...went,
        };
      };
      return worstOf(SEEDS, ["recoveryWithout", "stepsWithout"], both, onProgress);
    },
  },
  {
    name: "digits/recurrent-attention",
    claim:
      "Of two recurrent attention models of written digits anywhere in a larger image, each trained until it no longer gets better, the one that learns by reward where to crop makes at most three quarters of the mistakes of the one that looks at random.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.9 },
      { metric: "mistakes", atMost: 0.75 },
      { metric: "settled", atLeast: 1 },
    ],
    quick: false,
    missing: () => missingImages("mnist"),
    async measure(onProgress) {
      const { trainDigitGlimpses: train } = await import("./digit-glimpses.ts");
      const learnt = await train({ onProgress: part(onProgress, 0, 2) });
      const random = await train({ learnsPlaces: false, onProgress: part(onProgress, 1, 2) });
      return {
        ...{ accuracy: learnt.accuracy, random: random.accuracy },
        mistakes: (1 - learnt.accuracy) / (1 - random.accuracy),
        ...{ steps: learnt.steps, randomSteps: random.steps },
        settled: Number(learnt.settled && random.settled),
      };
    },
  },
  {
    name: "digits/spatial-transformer",
    claim:
      "A classifier behind a spatial transformer reads written digits among clutter better than the same classifier that sees the whole image; both train until they get no better.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.8 },
      { metric: "gain", atLeast: 0.05 },
      { metric: "settled", atLeast: 1 },
    ],
    quick: false,
    missing: () => missingImages("mnist"),
    async measure(onProgress) {
      const { trainDigitTransformer: train } = await import("./digit-transformer.ts");
      const crop = await train({ transform: "crop", onProgress: part(onProgress, 0, 2) });
      const none = await train({ transform: "none", onProgress: part(onProgress, 1, 2) });
      return {
        ...{ accuracy: crop.accuracy, without: none.accuracy, gain: crop.accuracy - none.accuracy },
        ...{ steps: crop.steps, stepsWithout: none.steps },
        settled: Number(crop.settled && none.settled),
      };
    },
  },
];
