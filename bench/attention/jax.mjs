/** jax-js on its WebAssembly device, which has one thread in Node: its own attention or the products, under jit. */
import { loadJax } from "../jax.mjs";
import { inputsOf, scale, toHeads, toTokens } from "./cases.mjs";
import { fastest } from "./fastest.mjs";

/** @import { Peer } from "../contender.mjs" */
/** @import { Case } from "./cases.mjs" */

/** @returns {Promise<Peer>} */
export async function load() {
  const { jax, versions } = await loadJax();
  const { blockUntilReady, jit, nn, numpy: np } = jax;

  function timed(
    /** @type {string} */ route,
    /** @type {any} */ f,
    /** @type {any[]} */ inputs,
    /** @type {(x: Float32Array) => Float32Array} */ arrange,
  ) {
    const call = () => f(...inputs.map((x) => x.ref));
    const run = async () => {
      const out = call();
      await blockUntilReady(out);
      out.dispose();
    };
    const output = async () => arrange(await call().data());
    const dispose = () => {
      for (const x of inputs) x.dispose();
    };
    return { route, run, output, dispose };
  }

  function builtIn(/** @type {Case} */ c) {
    const { q, k, v } = inputsOf(c);
    const tokens = (/** @type {Float32Array} */ x, /** @type {number} */ H, /** @type {number} */ T) =>
      np.array(toTokens(x, H, T, c.D)).reshape([1, T, H, c.D]);
    const options = {
      isCausal: c.causal,
      ...(c.window !== undefined && { localWindowSize: [c.window - 1, 0] }),
    };
    const f = jit((/** @type {any} */ q, /** @type {any} */ k, /** @type {any} */ v) =>
      nn.dotProductAttention(q, k, v, options),
    );
    const inputs = [tokens(q, c.H, c.T), tokens(k, c.Hkv, c.S), tokens(v, c.Hkv, c.S)];
    return timed("dotProductAttention", f, inputs, (x) => toHeads(x, c.H, c.T, c.D));
  }

  function composed(/** @type {Case} */ c) {
    const { q, k, v } = inputsOf(c);
    const rows = (c.H / c.Hkv) * c.T;
    const f = jit((/** @type {any} */ q, /** @type {any} */ k, /** @type {any} */ v) =>
      np.matmul(nn.softmax(np.matmul(q, np.swapaxes(k, 1, 2)).mul(scale(c)), -1), v),
    );
    const shaped = (/** @type {Float32Array} */ x, /** @type {number} */ n) =>
      np.array(x).reshape([c.Hkv, n, c.D]);
    return timed("matmul, softmax, matmul", f, [shaped(q, rows), shaped(k, c.S), shaped(v, c.S)], (x) =>
      Float32Array.from(x),
    );
  }

  return {
    versions,
    refuses: ({ pass }) => (pass === "backward" ? "measured forward only" : undefined),
    prepare(/** @type {Case} */ c) {
      const routes = c.causal || c.window !== undefined ? [builtIn] : [composed, builtIn];
      return fastest(
        routes.map((route) => () => route(c)),
        1,
      );
    },
  };
}
