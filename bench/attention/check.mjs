/** Right before fast: the rows of a peer's output against heed's reference, plain loops in float64. */
import { attention, attentionBackward } from "../../dist/kernels/index.js";
import { normals } from "../random.mjs";
import { inputsOf } from "./cases.mjs";
import { optionsOf } from "./heed.mjs";

/** @import { Case } from "./cases.mjs" */

/** Rows of each head that are compared; the first and the last are among them. */
const ROWS = 12;
/** float32 is right to about 1e-6 here; a key too many or too few shows above 1e-3. */
const TOLERANCE = 1e-4;

const rowsOf = (/** @type {number} */ T) => [
  ...new Set(Array.from({ length: ROWS }, (_, n) => Math.round((n * (T - 1)) / (ROWS - 1)))),
];

/**
 * The rows of the output (of dq, for a backward case) by the reference. A row of either follows from its own query
 * alone, so each is computed as attention of one query at its position.
 */
function expectedRows(/** @type {Case} */ c) {
  const { H, Hkv, T, S, D } = c;
  const { q, k, v } = inputsOf(c);
  const [keys, values] = [Float64Array.from(k), Float64Array.from(v)];
  const dout = c.pass === "backward" ? normals(q.length, 4) : undefined;
  return rowsOf(T).map((i) => {
    const row = (/** @type {Float32Array} */ x) =>
      Float64Array.from({ length: H * D }, (_, e) => x[(Math.floor(e / D) * T + i) * D + (e % D)]);
    const sizes = { B: 1, H, Hkv, T: 1, S, D };
    const { output, saved } = attention(row(q), keys, values, sizes, { ...optionsOf(c), queryOffset: i });
    return { i, values: dout ? attentionBackward(row(dout), saved).dq : output };
  });
}

/** @returns {(output: Float32Array) => string | undefined} what is wrong with an output */
export function checkOf(/** @type {Case} */ c) {
  const { H, T, D } = c;
  const rows = expectedRows(c);
  return (output) => {
    if (output.length !== H * T * D) return `gave ${output.length} numbers, not ${H * T * D}`;
    let worst = 0;
    for (const { i, values } of rows) {
      for (const [e, expected] of values.entries()) {
        const error = Math.abs(output[(Math.floor(e / D) * T + i) * D + (e % D)] - expected);
        worst = Math.max(worst, error);
      }
    }
    return worst <= TOLERANCE ? undefined : `is wrong by ${worst.toExponential(1)}`;
  };
}
