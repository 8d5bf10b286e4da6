import type { Caption } from "../tasks/captioning/captioner.ts";
import type { ImageAttentionData } from "../viz/image.ts";
import type { TerminalCapabilities } from "../viz/terminal/capabilities.ts";
import { terminalImage } from "../viz/terminal-image.ts";
import type { AnswerFormat } from "./flags.ts";

/** A caption as it is printed, line end included. */
export function showCaption(
  file: string | undefined,
  caption: Caption,
  data: () => ImageAttentionData,
  format: AnswerFormat,
  terminal: TerminalCapabilities,
): string {
  const { caption: text, words, weights, gates, probability } = caption;
  if (format === "json") {
    const maps = weights.map((map) => Array.from(map));
    const picture = file === undefined ? {} : { picture: file };
    return `${JSON.stringify({ ...picture, caption: text, probability, words, gates, weights: maps })}\n`;
  }
  if (format === "line") return `${text}\n`;
  const said = `${text}\nprobability ${probability.toFixed(3)}\n`;
  return words.length > 0 ? `${said}\n${terminalImage(data(), terminal)}\n\n` : said;
}

/** What stands in the place of a caption where there is none, line end included. */
export function uncaptioned(file: string, error: string, format: AnswerFormat): string {
  return format === "json" ? `${JSON.stringify({ picture: file, caption: null, error })}\n` : "\n";
}
