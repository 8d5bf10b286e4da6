// Runs the code of headers, with everything that heed publishes in scope.
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { transformWithOxc } from "vite";

/** @typedef {Record<string, unknown>} Scope */

/** Everything that the built heed publishes, and `tf`; of two things of one name the later entry point's. */
export async function publishedScope(/** @type {string} */ root) {
  const { exports } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  /** @type {Scope} */
  const scope = { tf };
  const entries = Object.values(exports).filter((entry) => typeof entry === "object");
  for (const entry of entries) {
    Object.assign(scope, await built(root, entry.default));
  }
  return scope;
}

/** The exports of the file that a header stands in. */
export function ownScope(/** @type {string} */ root, /** @type {string} */ place) {
  return built(root, place);
}

/** A module of build, by its place there, in dist or in src: of files that are joined in dist nothing else is in scope. */
function built(/** @type {string} */ root, /** @type {string} */ place) {
  const file = place.replace(/^(\.\/)?(src|dist)\//, "build/").replace(/\.ts$/, ".js");
  return /** @type {Promise<Scope>} */ (import(pathToFileURL(path.join(root, file)).href));
}

/** What the documentation's examples take for granted: B = 2, T = 3, S = 5, D = 4, the same numbers every time. */
export function givenScope() {
  const random = (/** @type {number} */ seed, /** @type {number[]} */ ...shape) =>
    tf.randomUniform(shape, -1, 1, "float32", seed);
  return {
    queries: random(1, 2, 3, 4),
    keys: random(2, 2, 5, 4),
    values: random(3, 2, 5, 7),
    q: random(4, 2, 3, 5, 4),
    k: random(5, 2, 3, 5, 4),
    v: random(6, 2, 3, 5, 7),
  };
}

/** The value that a block of TypeScript returns; what it declares may have the name of something in scope. */
export async function runCode(/** @type {string} */ code, /** @type {Scope} */ scope) {
  const imports = /^import .*;$/gm;
  const { code: program } = await transformWithOxc(
    `async () => {\n${code.replace(imports, "")}\n}`,
    "code.ts",
  );
  const make = new Function(...Object.keys(scope), `return (${program.trim().replace(/;$/, "")})`);
  return await make(...Object.values(scope))();
}
