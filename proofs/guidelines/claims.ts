import type { Claim, Metrics } from "../claim.ts";

const WIDTHS = [16, 64, 256, 512];

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
];
