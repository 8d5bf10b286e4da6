import type { Claim } from "../claim.ts";
import type { Timed } from "./linear.ts";

const SLOPE = 1.2;

/** Time between 512 and 4096 positions as a power of them. */
function growthClaim(name: Timed, title: string, { logarithm = false, quick = false } = {}): Claim {
  const growth = logarithm ? "n·log n" : "n";
  return {
    name: `growth/${name}`,
    claim: `The time of ${title} grows as ${growth} between 512 and 4096 positions, with gradients too.`,
    thresholds: [
      { metric: "slope", atMost: SLOPE },
      { metric: "gradientSlope", atMost: SLOPE },
    ],
    quick,
    async measure(onProgress) {
      const { timeSlopes } = await import("./linear.ts");
      return timeSlopes(name, logarithm, onProgress);
    },
  };
}

const LENGTHS = [512, 1024, 2048, 4096, 8192];
const COMPARED: readonly Timed[] = [
  "linear",
  "linear-causal",
  "performer",
  "linformer",
  "nystrom",
  "retention",
  "gated-delta",
  "lsh",
];

const APPLICATIONS = ["summarize", "caption", "detect", "ask", "track", "gateFormants", "gateSeries"];

/** What is claimed of time: processor time, the least of many turns, since a busy machine only adds to it. */
export const timeClaims: readonly Claim[] = [
  {
    name: "growth/tensors",
    claim:
      "Eight times the positions make about eight times as many numbers in all tensors of a call with gradients; what stores a matrix of weights makes over 50 times as many.",
    thresholds: [...COMPARED.map((metric) => ({ metric, atMost: 9 })), { metric: "weights", atLeast: 50 }],
    quick: true,
    async measure(onProgress) {
      const { tensorGrowth } = await import("./tensors.ts");
      return tensorGrowth(COMPARED, onProgress);
    },
  },
  {
    name: "growth/attention",
    claim:
      "The time of attention in one kernel grows as the square of the positions between 512 and 4096, as its flops do, with gradients too.",
    thresholds: [
      { metric: "slope", atLeast: 1.8, atMost: 2.2 },
      { metric: "gradientSlope", atLeast: 1.8, atMost: 2.2 },
    ],
    quick: false,
    async measure(onProgress) {
      const { timeSlopes } = await import("./linear.ts");
      return timeSlopes("softmax", false, onProgress);
    },
  },
  growthClaim("linear", "linear attention"),
  growthClaim("linear-causal", "causal linear attention"),
  growthClaim("performer", "Performer"),
  growthClaim("linformer", "Linformer"),
  growthClaim("nystrom", "Nyströmformer"),
  growthClaim("gated-delta", "the gated delta rule"),
  growthClaim("retention", "retention"),
  growthClaim("lsh", "LSH attention", { logarithm: true, quick: true }),
  {
    name: "growth/sigmoid-gate",
    claim:
      "Eight times the positions cost a gate about eight times the time, and attention in pairs about 64 times.",
    thresholds: [
      { metric: "gate", atMost: 10 },
      { metric: "attention", atLeast: 40 },
    ],
    quick: false,
    async measure(onProgress) {
      const { gateGrowth } = await import("./gate.ts");
      return { ...(await gateGrowth(onProgress)) };
    },
  },
  {
    name: "speed/score-mod",
    claim:
      "Functions of scores written in TypeScript run at 85 % or more of the speed of heed's own options for ALiBi, soft-cap and a window, and a mask of eight documents costs what its blocks cost.",
    thresholds: [
      { metric: "alibi", atLeast: 0.85 },
      { metric: "softCap", atLeast: 0.85 },
      { metric: "softCap-gradients", atLeast: 0.85 },
      { metric: "window", atLeast: 0.85 },
      { metric: "window-gradients", atLeast: 0.85 },
      { metric: "documents", atMost: 1.3 },
      { metric: "documents-gradients", atMost: 1.3 },
    ],
    quick: false,
    async measure(onProgress) {
      const { functionSpeeds } = await import("./score-mod.ts");
      return functionSpeeds(onProgress);
    },
  },
  {
    name: "speed/linear",
    claim: "At 8192 positions every one is faster than softmax attention in one kernel, and trains faster.",
    thresholds: COMPARED.flatMap((name) => [
      { metric: `${name}-8192`, atLeast: 1 },
      { metric: `${name}-8192-gradients`, atLeast: 1 },
    ]),
    quick: false,
    async measure(onProgress) {
      const { speedups } = await import("./linear.ts");
      return speedups({ lengths: LENGTHS, rounds: 3, onProgress });
    },
  },
  {
    name: "speed/sparse",
    claim:
      "At 4096 positions a sixteenth of the blocks, or Longformer with a window of 257, takes well under half the time of dense attention.",
    thresholds: [
      { metric: "blocks6@4096", atMost: 0.4 },
      { metric: "longformer@4096", atMost: 0.4 },
    ],
    quick: false,
    async measure(onProgress) {
      const { timeShares } = await import("./sparse.ts");
      return timeShares({ onProgress });
    },
  },
  {
    name: "speed/glimpse",
    claim:
      "A spatial transformer is faster than a Gaussian glimpse at every size: 32² to 8², 256² to 32², 512² to 64², batches of 8.",
    thresholds: [
      { metric: "ratio32", atLeast: 1 },
      { metric: "ratio256", atLeast: 1 },
      { metric: "ratio512", atLeast: 1 },
    ],
    quick: true,
    async measure(onProgress) {
      const { glimpseRatios } = await import("./glimpse.ts");
      return glimpseRatios(onProgress);
    },
  },
  {
    name: "speed/translation",
    claim:
      "The built command gives its first answer within 0.6 s of its start, and 1,000 sentences with beam 5 within 10 s.",
    thresholds: [
      { metric: "firstAnswerSeconds", atMost: 0.6 },
      { metric: "thousandSeconds", atMost: 10 },
    ],
    quick: false,
    async measure(onProgress) {
      const { commandSeconds } = await import("./command.ts");
      return { ...commandSeconds(onProgress) };
    },
  },
  {
    name: "speed/applications",
    claim:
      "The built command of every application answers one input in at most 2 s of processor time, its start included, and captions, finds items or answers in 20 pictures a second or more.",
    thresholds: [
      ...APPLICATIONS.map((name) => ({ metric: `${name}Seconds`, atMost: 2 })),
      ...["caption", "detect", "ask"].map((name) => ({ metric: `${name}PerSecond`, atLeast: 20 })),
    ],
    quick: false,
    async measure(onProgress) {
      const { applicationSpeeds } = await import("./applications.ts");
      return applicationSpeeds(onProgress);
    },
  },
];
