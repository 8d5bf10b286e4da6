/** The losses of the first two steps, by TensorFlow.js' CPU backend: every contender has to start with these. */
import { Process } from "../processes.mjs";

/** @import { Task } from "./tasks.mjs" */

/** The first loss is a forward pass in float32; the second has gone through every gradient and through Adam. */
const TOLERANCES = [1e-4, 1e-3];

export async function checkOf(/** @type {Task} */ { name }) {
  const reference = new Process({
    ...{ id: "tfjs-cpu", family: "tfjs-wasm", threads: 1 },
    ...{ module: "./training/tensorflow.mjs", settings: { backend: "cpu" } },
  });
  await reference.ask("load", reference.contender);
  const { output: expected } = await reference.ask("prepare", { name, warm: 0 });
  reference.stop();
  return (/** @type {Float32Array} */ output) => {
    const errors = TOLERANCES.map((_, at) => Math.abs(output[at] / expected[at] - 1));
    const right = errors.every((error, at) => error <= TOLERANCES[at]);
    return right ? undefined : `has other losses: ${output.join(", ")} instead of ${expected.join(", ")}`;
  };
}
