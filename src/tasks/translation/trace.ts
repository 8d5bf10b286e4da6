import { createTrace, type Trace, traceTensor } from "../../inspect/index.ts";
import type { Translation } from "./translation.ts";

/**
 * What each word of a translation looked at, as a trace of one head: `tgt` over `src`. Undefined where there is no word.
 *
 * @example
 * const words = { source: "I am", target: "Suis", sourceTokens: ["I", "am"], targetTokens: ["Suis"] };
 * translationTrace({ ...words, weights: [[0.25, 0.75]], score: -1 })?.tokens.tgt; // ["Suis"]
 */
export function translationTrace({ sourceTokens, targetTokens, weights }: Translation): Trace | undefined {
  if (sourceTokens.length === 0 || targetTokens.length === 0) return undefined;
  const attn = traceTensor([1, targetTokens.length, sourceTokens.length], weights.flat());
  return createTrace({
    tokens: { src: sourceTokens, tgt: targetTokens },
    layers: [{ name: "alignment", alignQ: "tgt", alignK: "src", attn }],
  });
}
