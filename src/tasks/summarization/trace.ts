import { createTrace, type Trace, traceTensor } from "../../inspect/index.ts";
import type { Summary } from "./summarizer.ts";

/**
 * How each word of a summary came about, as a trace: a layer `attention`, `tgt` over `src`, and the gates `p_gen` [T] and
 * `coverage` [T, S]. Undefined where there is no word.
 */
export function summaryTrace(summary: Summary): Trace | undefined {
  const { sourceTokens, targetTokens, weights, generate, coverage } = summary;
  const [T, S] = [targetTokens.length, sourceTokens.length];
  if (T === 0 || S === 0) return undefined;
  return createTrace({
    tokens: { src: sourceTokens, tgt: targetTokens },
    layers: [
      { name: "attention", alignQ: "tgt", alignK: "src", attn: traceTensor([1, T, S], weights.flat()) },
    ],
    gates: {
      ...(generate.length > 0 && { p_gen: traceTensor([T], generate) }),
      coverage: traceTensor([T, S], coverage.flat()),
    },
  });
}
