/** Every kind of program, by name. */
import { convolutions } from "./convolutions.mjs";
import { elementwise } from "./elementwise.mjs";
import { own } from "./own.mjs";
import { Random } from "./random.mjs";
import { reductions } from "./reductions.mjs";
import { shapes } from "./shapes.mjs";
import { special } from "./special.mjs";

/** @type {Record<string, (r: Random) => import("./check.mjs").Program>} */
const KINDS = { ...elementwise, ...reductions, ...shapes, ...convolutions, ...special, ...own };
export const names = Object.keys(KINDS);

/** Program `index` of a seed: every kind comes once in each round. */
export function programOf(/** @type {number} */ seed, /** @type {number} */ index, only = names) {
  const name = only[index % only.length];
  return { name, program: KINDS[name](new Random(seed, index)) };
}
