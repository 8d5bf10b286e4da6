/** jax-js, ready on its WebAssembly device. */
import { versionOf } from "./machine.mjs";

/** Node 20 has no iterator helpers, which jax-js' einsum needs: the ones that it calls, on arrays. */
function giveIteratorHelpers() {
  const prototype = Object.getPrototypeOf(Object.getPrototypeOf([].values()));
  for (const name of /** @type {const} */ (["map", "filter", "flatMap"])) {
    if (name in prototype) continue;
    Object.defineProperty(prototype, name, {
      value(/** @type {any} */ f) {
        const values = /** @type {any} */ (Array.from(/** @type {Iterable<unknown>} */ (this)));
        return values[name](f).values();
      },
      configurable: true,
      writable: true,
    });
  }
  if ("toArray" in prototype) return;
  Object.defineProperty(prototype, "toArray", {
    value() {
      return Array.from(/** @type {Iterable<unknown>} */ (this));
    },
    configurable: true,
    writable: true,
  });
}

export async function loadJax() {
  giveIteratorHelpers();
  const jax = /** @type {any} */ (await import("@jax-js/jax"));
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  return { jax, versions: { "@jax-js/jax": versionOf("@jax-js/jax") } };
}
