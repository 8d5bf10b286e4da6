import type * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type Intervention, intervene, record } from "../../src/intervene/index.ts";
import { attention } from "../../src/ops/index.ts";
import { gradcheckTensors } from "../../src/testing/gradcheck.ts";
import { onEveryBackend } from "../attention/support.ts";
import { random } from "./support.ts";

const [H, T, S, D, Dv] = [2, 2, 3, 3, 2];

onEveryBackend("gradients of interventions agree with central differences", () => {
  it.each([
    ["hidden keys", [{ do: "knockOut", heads: 1, keys: 0 }]],
    ["lost edges", [{ do: "knockOut", edges: [[1, 2]], weight: "lost" }]],
    [
      "scaled keys and a pin",
      [
        { do: "scale", keys: 1, by: 2 },
        { do: "pin", queries: 1, weights: [0.5, 2, -1] },
      ],
    ],
    ["swapped heads", [{ do: "swap", of: "heads", between: [0, 1] }]],
    ["a patched query", [{ do: "patch", what: "q", from: "other", queries: 0 }]],
    ["patched weights", [{ do: "patch", what: "weights", from: "other", heads: 0 }]],
  ] as [string, Intervention[]][])("%s", (_, list) => {
    const inputs = { q: random([1, H, T, D], 1), k: random([1, 1, S, D], 2), v: random([1, 1, S, Dv], 3) };
    const other = record(() => attention(random([1, H, T, D], 4), inputs.k, inputs.v), {
      keep: ["q", "weights"],
    });
    const call = ({ q, k, v }: Record<string, tf.Tensor>) =>
      intervene(() => attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D).output, list, {
        runs: { other },
      });
    // Throws where they do not.
    expect(gradcheckTensors(call, inputs, 32).error).toBeLessThan(1e-2);
    other.dispose();
  });
});
