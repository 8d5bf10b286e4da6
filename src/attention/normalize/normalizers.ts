import { OptionError } from "../../core/errors.ts";
import { notAChoice } from "../../core/faults.ts";
import type { Normalize } from "../../ops/attention/composed.ts";
import { softmax } from "../../ops/attention/softmax.ts";
import { entmax } from "./entmax.ts";
import { hardmax } from "./hardmax.ts";
import { ownNormalizer } from "./own.ts";
import { sigmoidWeights } from "./sigmoid-weights.ts";
import { softmaxPlusOne } from "./softmax-plus-one.ts";
import { sparsemax } from "./sparsemax.ts";

/** The normalisers that have no parameters, by the names that options and saved configurations use. */
export const NORMALIZERS = {
  softmax,
  sparsemax,
  entmax15: (scores) => entmax(scores, 1.5),
  sigmoid: (scores) => sigmoidWeights(scores),
  softmaxPlusOne,
  hardmax,
} as const satisfies Record<string, Normalize>;

export type NormalizerName = keyof typeof NORMALIZERS;

const KNOWN: ReadonlySet<Normalize> = new Set(Object.values(NORMALIZERS));

/**
 * A normaliser given as a function or by name. A function that is not heed's is kept to what holds of all of them:
 * its weights have the scores' shape, and a row that sees nothing has zeros.
 *
 * @throws OptionError OPTION for a name that is no normaliser
 * @example
 * normalizerOf("attend", "sparsemax") === sparsemax; // true
 */
export function normalizerOf(op: string, given: Normalize | NormalizerName): Normalize {
  if (typeof given === "function") return KNOWN.has(given) ? given : ownNormalizer(op, given);
  if (Object.hasOwn(NORMALIZERS, given)) return NORMALIZERS[given];
  const choices = ["a function", ...Object.keys(NORMALIZERS).map((name) => `"${name}"`)];
  throw new OptionError("OPTION", notAChoice({ op, name: "normalize", choices, got: given }));
}
