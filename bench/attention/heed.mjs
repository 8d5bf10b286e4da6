/** heed itself, through the public calls of heed/kernels; their copies are part of the time. */
import { startHeed } from "../heed.mjs";
import { normals } from "../random.mjs";
import { inputsOf } from "./cases.mjs";

/** @import { Peer } from "../contender.mjs" */
/** @import { Case, Inputs } from "./cases.mjs" */

/** The options of heed that a case stands for. */
export const optionsOf = (/** @type {Case} */ { causal, window }) => ({
  ...(causal && { causal }),
  ...(window !== undefined && { window: { left: window - 1, right: 0 } }),
});

/**
 * A step of decoding: the oldest of the S tokens of a ring is written anew, with its own key and value, and the query
 * attends to all of them.
 */
function decode(
  /** @type {any} */ cache,
  /** @type {Case} */ { Hkv, S, D },
  /** @type {Inputs} */ { q, k, v },
) {
  cache.append(k, v);
  const [key, value] = [new Float32Array(Hkv * D), new Float32Array(Hkv * D)];
  let oldest = 0;
  return () => {
    for (let g = 0; g < Hkv; g++) {
      const from = (g * S + oldest) * D;
      key.set(k.subarray(from, from + D), g * D);
      value.set(v.subarray(from, from + D), g * D);
    }
    oldest = (oldest + 1) % S;
    cache.append(key, value);
    return cache.attend(q);
  };
}

/** @returns {Promise<Peer>} */
export async function load(/** @type {{ threads: number, build: "relaxed" | "plain" }} */ settings) {
  const { attention, attentionBackward, KeyValueCache, version } = await startHeed(settings);
  return {
    versions: { heed: version },
    refuses: ({ kind }) =>
      kind === "resident decode" && settings.threads > 1 ? "a cache runs on one thread" : undefined,
    prepare(/** @type {Case} */ c) {
      if (c.kind === "resident decode") {
        const cache = new KeyValueCache({ H: c.H, Hkv: c.Hkv, D: c.D }, { window: c.S });
        const run = decode(cache, c, inputsOf(c));
        const route = "KeyValueCache, a token appended";
        return { route, run, output: () => run().output, dispose: () => cache.dispose() };
      }
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
