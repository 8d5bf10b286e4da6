/** The first sentence of each batch, embedded by the plain loops of TensorFlow.js' CPU backend: every contender has to have these numbers. */
import { Process } from "../processes.mjs";

/** @import { Case } from "./cases.mjs" */

/** Of numbers whose squares add up to 1. float32 is right to about 1e-6 here; a padded token that is seen shows above 1e-3. */
const TOLERANCE = 2e-5;

export async function checkOf(/** @type {Case} */ { name, size, sizes: { width }, sentences }) {
  const reference = new Process({
    ...{ id: "tfjs-cpu", family: "tfjs-wasm", threads: 1 },
    ...{ module: "./embedding/heed.mjs", settings: { backend: "cpu", checked: true } },
  });
  await reference.ask("load", reference.contender);
  const { output: expected } = await reference.ask("prepare", { name, warm: 0 });
  reference.stop();
  return (/** @type {Float32Array} */ output) => {
    if (output.length !== sentences * width) return `gave ${output.length} numbers, not ${sentences * width}`;
    const errors = expected.map((/** @type {number} */ value, /** @type {number} */ n) =>
      Math.abs(output[Math.floor(n / width) * size * width + (n % width)] - value),
    );
    const worst = errors.reduce(
      (/** @type {number} */ most, /** @type {number} */ error) => Math.max(most, error),
      0,
    );
    return worst <= TOLERANCE ? undefined : `is wrong by ${worst.toExponential(1)}`;
  };
}
