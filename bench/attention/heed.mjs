/** heed itself, through the public calls of heed/kernels; their copies are part of the time. */
import { startHeed } from "../heed.mjs";
import { normals } from "../random.mjs";
import { inputsOf } from "./cases.mjs";

/** @import { Peer } from "../contender.mjs" */
/** @import { Case } from "./cases.mjs" */

/** The options of heed that a case stands for. */
export const optionsOf = (/** @type {Case} */ { causal, window }) => ({
  ...(causal && { causal }),
  ...(window !== undefined && { window: { left: window - 1, right: 0 } }),
});

/** @returns {Promise<Peer>} */
export async function load(/** @type {{ threads: number, build: "relaxed" | "plain" }} */ settings) {
  const { attention, attentionBackward, version } = await startHeed(settings);
  return {
    versions: { heed: version },
    refuses: () => undefined,
    prepare(/** @type {Case} */ c) {
      const { q, k, v } = inputsOf(c);
      const sizes = { B: 1, H: c.H, Hkv: c.Hkv, T: c.T, S: c.S, D: c.D };
      const options = optionsOf(c);
      if (c.pass === "forward") {
        const run = () => attention(q, k, v, sizes, options);
        return { route: "attention", run, output: () => run().output };
      }
      const dout = normals(q.length, 4);
      const { saved } = attention(q, k, v, sizes, options);
      const run = () => attentionBackward(dout, saved);
      return { route: "attentionBackward", run, output: () => run().dq };
    },
  };
}
