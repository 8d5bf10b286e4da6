import { heatmap } from "../../viz/heatmap.ts";
import type { Theme } from "../../viz/svg/theme.ts";
import { coverageAfter, type Summary } from "./summarizer.ts";

const NOTE =
  "p_gen: 1 written, 0 copied; again: share of a look at what was looked at before; coverage: all looks together, 1 and more alike.";

/** What the picture shows, in a sentence. */
export const DRAWN =
  "Where each word of the summary looked, with its p_gen, how much of that was looked at before, and the coverage of the text.";

/**
 * How each word of a summary came about, as an SVG document: where it looked, beside it its p_gen and how much of that it
 * had looked at before, and below the coverage that the whole summary leaves on each word of the text. Undefined where
 * there is no word.
 *
 * @throws OptionError OPTION for a theme that is none
 */
export function drawSummary(summary: Summary, options: { theme?: Theme } = {}): string | undefined {
  const { sourceTokens, targetTokens, weights, generate, repeated } = summary;
  if (targetTokens.length === 0 || sourceTokens.length === 0) return undefined;
  const written = generate.length > 0 ? [{ name: "p_gen", values: generate }] : [];
  return heatmap(
    { weights, rowTokens: targetTokens, columnTokens: sourceTokens },
    {
      theme: "auto",
      ...options,
      title: "Where each word of the summary looked",
      xTitle: "Text",
      yTitle: "Summary",
      rowStrips: [...written, { name: "again", values: repeated }],
      columnStrips: [{ name: "coverage", values: coverageAfter(summary) }],
      note: NOTE,
    },
  );
}
