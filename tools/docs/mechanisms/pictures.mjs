// Draws a mechanism from its own `@draws`: the numbers are those of the mechanism, on TensorFlow.js' plain backend.
import * as tf from "@tensorflow/tfjs-core";
import { runCode } from "./run.mjs";

/** @import { Header } from "./headers.mjs" */
/** @import { Scope } from "./run.mjs" */

const MOST_CELLS = 24;
const MOST_PANELS = 4;

/** The panels of a tensor: one matrix, or one for each entry of the first axis. */
function panelsOf(/** @type {tf.Tensor} */ tensor) {
  const squeezed = tf.squeeze(tf.cast(tensor, "float32"));
  const { rank, shape } = squeezed;
  if (rank === 1) return [[squeezed.arraySync()]];
  if (rank === 2) return [squeezed.arraySync()];
  if (rank === 3 && shape[0] <= MOST_PANELS) return /** @type {unknown[]} */ (squeezed.arraySync());
  throw new Error(
    `@draws returned shape [${tensor.shape}]; squeezed it must have rank 1, 2, or 3 with up to ${MOST_PANELS} panels`,
  );
}

/** The thumbnail of a header, or undefined where it draws nothing. */
export async function picture(/** @type {Header} */ { name, sentence, draws }, /** @type {Scope} */ scope) {
  if (draws === undefined) return undefined;
  await tf.setBackend("cpu");
  const drawn = /** @type {any} */ (await runCode(draws, scope));
  const panels = (Array.isArray(drawn) ? drawn : [drawn]).flatMap(panelsOf);
  for (const panel of panels) {
    const [rows, columns] = [panel.length, panel[0].length];
    if (rows > MOST_CELLS || columns > MOST_CELLS)
      throw new Error(`@draws of ${name}: ${rows} × ${columns} cells, at most ${MOST_CELLS} × ${MOST_CELLS}`);
  }
  const draw = /** @type {Function} */ (scope.thumbnail);
  return `${draw(panels, { label: `${name}: ${sentence}` })}\n`;
}
