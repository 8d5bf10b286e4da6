import { type Claim, type Metrics, part, SEEDS } from "../claim.ts";

const WIDTHS = [16, 64, 256, 512];

/** How far apart final losses may be, as a share. */
const BAND = 0.01;

/** What is claimed of the guidelines. */
export const guidelineClaims: readonly Claim[] = [
  {
    name: "guidelines/score-scale",
    claim:
      "By default the weights of soft attention start spread over the keys at any width; at scale 1 they all go to one key as the width grows.",
    thresholds: [
      ...WIDTHS.map((D) => ({ metric: `scaled${D}`, atLeast: 0.85 })),
      { metric: "unscaled512", atMost: 0.1 },
    ],
    quick: true,
    async measure(onProgress) {
      const { useHeedBackend } = await import("../../src/host/select.ts");
      const { entropyAtStart } = await import("./score-scale.ts");
      await useHeedBackend();
      const metrics: Metrics = {};
      for (const [n, D] of WIDTHS.entries()) {
        metrics[`scaled${D}`] = entropyAtStart(D);
        metrics[`unscaled${D}`] = entropyAtStart(D, 1);
        onProgress((n + 1) / WIDTHS.length);
      }
      return metrics;
    },
  },
  {
    name: "guidelines/gradient-norms",
    claim:
      "Before its first step, the first of 12 layers with norms before their sublayers has a gradient between a tenth of and ten times the last one's; with norms after them it is shown beside.",
    thresholds: [
      { metric: "preNormLeast", atLeast: 0.1 },
      { metric: "preNormMost", atMost: 10 },
    ],
    quick: true,
    async measure(onProgress) {
      const { gradientRatio } = await import("./gradient-norms.ts");
      const metrics: Metrics = {};
      for (const [n, name] of ["preNorm", "postNorm"].entries()) {
        const ratios: number[] = [];
        for (const seed of SEEDS) {
          ratios.push(await gradientRatio(name === "preNorm", seed));
          onProgress((n * SEEDS.length + ratios.length) / (2 * SEEDS.length));
        }
        metrics[`${name}Least`] = Math.min(...ratios);
        metrics[`${name}Most`] = Math.max(...ratios);
      }
      return metrics;
    },
  },
  {
    name: "guidelines/mixed-precision",
    claim:
      "A small language model trained in float16 with loss scaling, or in bfloat16, ends within 1 % of the loss of float32. Gradients 16384 times smaller vanish in float16, which then learns nothing; with scaling nothing is lost.",
    thresholds: [
      { metric: "float32", atMost: 1.15 },
      ...["float16", "bfloat16", "tinyScaled"].map((run) => ({
        metric: `${run}Ratio`,
        atLeast: 1 - BAND,
        atMost: 1 + BAND,
      })),
      { metric: "tinyUnscaledRatio", atLeast: 1.5 },
    ],
    quick: false,
    async measure(onProgress) {
      const { trainIn } = await import("./mixed-precision.ts");
      const runs = {
        float32: { type: "float32" },
        float16: { type: "float16", scaled: true },
        bfloat16: { type: "bfloat16" },
        unscaled: { type: "float16" },
        tinyScaled: { type: "float16", scaled: true, factor: 2 ** -14 },
        tinyUnscaled: { type: "float16", factor: 2 ** -14 },
      } as const;
      const metrics: Metrics = {};
      const names = Object.keys(runs) as (keyof typeof runs)[];
      for (const [n, name] of names.entries()) {
        const { loss } = await trainIn({
          ...runs[name],
          steps: 1000,
          onProgress: part(onProgress, n, names.length),
        });
        metrics[name] = loss;
        if (n > 0) metrics[`${name}Ratio`] = loss / metrics.float32!;
      }
      return metrics;
    },
  },
];
