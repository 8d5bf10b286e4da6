/** heed's operation on the `heed` backend of TensorFlow.js: tensors stay in its heap, nothing is copied. One thread. */
import * as tf from "@tensorflow/tfjs-core";
import { versionOf } from "../machine.mjs";
import { inputsOf } from "./cases.mjs";
import { optionsOf } from "./heed.mjs";

/** @import { Peer } from "../contender.mjs" */
/** @import { Case } from "./cases.mjs" */

/** @returns {Promise<Peer>} */
export async function load() {
  await import("../../dist/host/backend.js");
  const { attention } = await import("../../dist/ops/index.js");
  if (!(await tf.setBackend("heed"))) throw new Error("the backend heed did not start");
  return {
    versions: { "@tensorflow/tfjs-core": versionOf("@tensorflow/tfjs-core") },
    refuses: ({ pass }) => (pass === "backward" ? "measured forward only" : undefined),
    prepare(/** @type {Case} */ c) {
      const { q, k, v } = inputsOf(c);
      const tensors = [
        tf.tensor4d(q, [1, c.H, c.T, c.D]),
        tf.tensor4d(k, [1, c.Hkv, c.S, c.D]),
        tf.tensor4d(v, [1, c.Hkv, c.S, c.D]),
      ];
      const options = optionsOf(c);
      const f = () => attention(tensors[0], tensors[1], tensors[2], options).output;
      const run = () => tf.dispose(tf.tidy(f));
      const output = () => /** @type {Float32Array} */ (tf.tidy(f).dataSync());
      return { route: "ops.attention", run, output, dispose: () => tf.dispose(tensors) };
    },
  };
}
