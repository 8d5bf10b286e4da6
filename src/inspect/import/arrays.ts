import type { Trace } from "../trace/trace.ts";
import { traceOf } from "./layers.ts";
import { flatten } from "./nested.ts";
import type { ImportOptions } from "./options.ts";

/** The tokens of plain arrays: one list for self-attention, or one for each side. */
export interface ArrayTokens extends Pick<ImportOptions, "softmax"> {
  readonly name?: string;
  readonly tokens?: readonly string[];
  readonly queries?: readonly string[];
  readonly keys?: readonly string[];
}

/**
 * A trace of nested arrays: [T][S], [H][T][S], [layers][H][T][S], or [layers][1][H][T][S] as Hugging Face's models
 * return it. Typed arrays may be the innermost ones. What rows add up to is found, so any finite numbers will do; `warnings` of the trace says where they are no shares.
 *
 * @throws DataError FORMAT
 * @example
 * const trace = fromArrays([[0.9, 0.1], [0.2, 0.8]], { queries: ["J'", "aime"], keys: ["I", "love"] });
 * trace.layers[0].rowSums; // "one"
 */
export function fromArrays(weights: unknown, options: ArrayTokens = {}): Trace {
  const { name, tokens, queries, keys, softmax } = options;
  const list = (axis: string, own: readonly string[] | undefined) => {
    const found = own ?? tokens;
    return found && { name: own ? axis : "tokens", tokens: found };
  };
  const sides = { queries: list("queries", queries), keys: list("keys", keys) };
  return traceOf([{ ...flatten("the weights", weights), ...sides }], { name, softmax });
}
