import { type Claim, worstOf } from "../claim.ts";

/** What is claimed of spiking attention. */
export const spikingClaims: readonly Claim[] = [
  {
    name: "event-stream/spikformer",
    claim:
      "A small Spikformer tells which way the bar moves that flickers in step with a light, from spikes alone and with additions for its attention; patches that see themselves alone cannot, nor can it where the light is out of step.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.9 },
      { metric: "alone", atMost: 0.6 },
      { metric: "otherLight", atMost: 0.6 },
    ],
    quick: false,
    async measure(onProgress) {
      const { learnFlicker } = await import("./flicker.ts");
      const less = ["alone", "otherLight", "accumulations", "stepSeconds"];
      return worstOf([1, 2, 3], less, learnFlicker, onProgress);
    },
  },
];
