import type { Summary } from "../tasks/summarization/summarizer.ts";
import { coverageAfter } from "../tasks/summarization/summarizer.ts";
import { isWord } from "../tasks/words.ts";
import { terminalHeatmap } from "../viz/terminal.ts";
import { terminalWords } from "../viz/terminal-words.ts";
import { type Look, safe } from "./translation-output.ts";

const AXES = { title: "", xTitle: "Text", yTitle: "Summary" } as const;
/** Of a text of which the vocabulary knows less than this, a summary is little more than some words of it. */
const LEAST_KNOWN = 0.5;

/** A summary as it is printed, line end included. */
export function showSummary(summary: Summary, { format, terminal }: Look): string {
  if (format === "json") return `${JSON.stringify(summary)}\n`;
  const { target, alternatives = [], targetTokens, sourceTokens, weights, generate, repeated } = summary;
  const shown = (text: string) => safe(text, terminal);
  const others = alternatives.map((one) => `  ${shown(one.target)}\n`).join("");
  const line = `${shown(target)}\n${others}`;
  if (format === "plain") return line;
  const said =
    line +
    remarksOn(summary)
      .map((remark) => `  (${shown(remark)})\n`)
      .join("");
  if (targetTokens.length === 0 || sourceTokens.length === 0) return said;
  const map = terminalHeatmap(
    { weights, rowTokens: targetTokens, columnTokens: sourceTokens },
    { ...terminal, ...AXES, format },
  );
  // Without colour each word has its number behind it.
  const look = format === "map" ? terminal : { ...terminal, depth: 1 as const };
  const words = (name: string, tokens: readonly string[], values: readonly number[]) =>
    terminalWords(tokens, values, { ...look, name });
  const parts = [
    map,
    ...(generate.length > 0 ? [words("p_gen, 1 written and 0 copied:", targetTokens, generate)] : []),
    words("again, how much of a look fell on what had been looked at:", targetTokens, repeated),
    words("coverage, all looks at each word of the text together:", sourceTokens, coverageAfter(summary)),
  ];
  if (format === "map") return `${said}\n${parts.join("\n\n")}\n\n`;
  return `${said}${parts.join("\n").replace(/^/gm, "  ")}\n`;
}

/** What a reader should know of a summary before trusting it, a sentence each. */
export function remarksOn({ cut, sourceTokens, outside }: Summary): string[] {
  const known = sourceTokens
    .map((token, s) => ({ token, isKnown: !outside[s] }))
    .filter(({ token }) => isWord(token));
  const share = known.filter(({ isKnown }) => isKnown).length / Math.max(1, known.length);
  const all = sourceTokens.length + cut;
  return [
    ...(cut > 0 ? [`only the first ${sourceTokens.length} of ${all} tokens were read`] : []),
    ...(known.length > 0 && share < LEAST_KNOWN
      ? [`the model knows ${Math.round(100 * share)} % of these words: it was trained on other texts`]
      : []),
  ];
}
