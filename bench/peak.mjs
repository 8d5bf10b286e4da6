/** The multiply-adds that this engine can do at most, one thread: assembly/probes/peak.ts, no memory involved. */
import { fileURLToPath } from "node:url";
import { compileKernels } from "../tools/build.mjs";

/** @import { Peer } from "./contender.mjs" */

const PROBE = fileURLToPath(new URL("../assembly/probes/peak.ts", import.meta.url));
const STEPS = 40_000;
/** Twelve chains of four lanes, a multiply and an add each. */
export const PEAK_FLOPS = STEPS * 96;

/** @returns {Promise<Peer>} */
export async function load() {
  const binary = /** @type {any} */ (await compileKernels(PROBE, ["--enable", "relaxed-simd"]));
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
  const { peak } = /** @type {{ peak(n: number, address: number): void }} */ (instance.exports);
  for (let n = 0; n < 100; n++) peak(2000, 1024);
  return {
    versions: {},
    refuses: () => undefined,
    prepare: () => ({
      route: "12 chains of relaxed_madd",
      run: () => peak(STEPS, 1024),
      output: () => new Float32Array(0),
    }),
  };
}
