/** How fast this engine reads memory, one thread: assembly/probes/bandwidth.ts adds up the keys and values of a case. */
import { fileURLToPath } from "node:url";
import { compileKernels } from "../tools/build.mjs";
import { inputsOf } from "./attention/cases.mjs";

/** @import { Peer } from "./contender.mjs" */
/** @import { Case } from "./attention/cases.mjs" */

const PROBE = fileURLToPath(new URL("../assembly/probes/bandwidth.ts", import.meta.url));
const PAGE = 65536;
/** Sums of float32, eight times four at once. */
const TOLERANCE = 1e-2;

/** @returns {Promise<Peer>} */
export async function load() {
  const binary = /** @type {any} */ (await compileKernels(PROBE, ["--enable", "relaxed-simd"]));
  return {
    versions: {},
    refuses: ({ kind }) => (kind === "resident decode" ? undefined : "measured beside resident keys only"),
    async prepare(/** @type {Case} */ c) {
      const { k, v } = inputsOf(c);
      const bytes = k.byteLength + v.byteLength;
      const memory = new WebAssembly.Memory({ initial: 1 + Math.ceil(bytes / PAGE) });
      const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
      const { sumAll } = /** @type {{ sumAll(address: number, bytes: number): number }} */ (instance.exports);
      const numbers = new Float32Array(memory.buffer, PAGE, bytes / 4);
      numbers.set(k);
      numbers.set(v, k.length);
      const [got, wanted] = [sumAll(PAGE, bytes), numbers.reduce((sum, x) => sum + x, 0)];
      if (!(Math.abs(got - wanted) <= TOLERANCE * Math.sqrt(numbers.length))) {
        throw new Error(`the sum is ${got}, not ${wanted}`);
      }
      const run = () => sumAll(PAGE, bytes);
      return { route: "f32x4.add, 8 at a time", run, output: () => new Float32Array(0) };
    },
  };
}
