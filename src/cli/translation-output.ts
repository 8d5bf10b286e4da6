import type { Translator } from "../tasks/translation/load.ts";
import type { Doubt, Translation } from "../tasks/translation/translation.ts";
import type { HeatmapData } from "../viz/data.ts";
import { heatmap } from "../viz/heatmap.ts";
import { type TerminalCapabilities, terminalCapabilities } from "../viz/terminal/capabilities.ts";
import { terminalHeatmap } from "../viz/terminal.ts";
import { visible } from "../viz/text.ts";
import type { Io } from "./io.ts";

export const FORMATS = ["map", "text", "plain", "json"] as const;
export const COLORS = ["auto", "always", "never"] as const;

/** The flags that decide how a translation is printed. */
export interface LookOptions {
  format?: (typeof FORMATS)[number];
  color?: (typeof COLORS)[number];
  json?: boolean;
  /** False with `--no-map`. */
  map?: boolean;
}

/** How translations are printed, decided once for a run. */
export interface Look {
  format: (typeof FORMATS)[number];
  terminal: TerminalCapabilities;
}

/**
 * Where nothing is said, whoever looks at a terminal (or forces colour) gets the map, and whatever reads a pipe
 * the text: the same facts, without pictures made of characters.
 */
export function look({ format, color = "auto", json, map }: LookOptions, { stdout, env }: Io): Look {
  const terminal = terminalCapabilities({ env, stream: stdout, color });
  if (json) return { format: "json", terminal };
  if (map === false) return { format: "plain", terminal };
  return { format: format ?? (terminal.isTTY || terminal.depth > 1 ? "map" : "text"), terminal };
}

/** A translation as it is printed, line end included. */
export function show(translation: Translation, { format, terminal }: Look, axes: Axes): string {
  if (format === "json") return `${JSON.stringify(translation)}\n`;
  const { target, alternatives = [] } = translation;
  const shown = (text: string) => safe(text, terminal);
  // The next best are told by their indentation, where lines are all there is.
  const others = alternatives.map((one) => `  ${shown(one.target)}\n`).join("");
  const line = `${shown(target)}\n${others}`;
  if (format === "plain") return line;
  const data = alignment(translation);
  const remarks = remarksOn(translation).map((remark) => `  (${shown(remark)})\n`);
  const said = line + remarks.join("");
  if (!data) return said;
  const picture = terminalHeatmap(data, { ...terminal, ...axes, format });
  return format === "map" ? `${said}\n${picture}\n\n` : `${said}${picture.replace(/^/gm, "  ")}\n`;
}

/** What a reader should know of a translation before trusting it, a sentence each. */
function remarksOn({ confidence, doubts = [], notes = [] }: Translation): string[] {
  const share = confidence === undefined ? "" : `, ${Math.round(100 * confidence)} %`;
  const said: Record<Doubt, string> = {
    "not English": "this does not look like English",
    "low confidence": `low confidence${share}: check this translation`,
    "cut off": "the translation is cut off",
    "value missing": "a number or a name of the sentence is missing",
  };
  return [
    ...doubts.map((doubt) => said[doubt]),
    ...notes.map((note) => {
      if (note.type === "typo") return `read "${note.from}" as "${note.to}"`;
      if (note.type === "unknown word") return `copied "${note.text}", a word that the model has not seen`;
      return `"${note.text}" is read as month and day`;
    }),
  ];
}

/** What could steer a terminal: escape sequences, other controls, changes of direction. */
const STEERING = /[\p{Cc}\p{Cs}\p{Bidi_Control}]/gu;

/** A sentence for a terminal has what could steer it made visible; a pipe gets what is there. */
export function safe(text: string, { isTTY }: TerminalCapabilities): string {
  return isTTY ? text.replace(STEERING, visible) : text;
}

/** What the axes of an alignment show. */
export interface Axes {
  readonly title: "";
  readonly xTitle: string;
  readonly yTitle: string;
}

/** The axes of a model's alignments, named after its languages: `en` → `English`. */
export function axesOf({ from, to }: Translator["card"]): Axes {
  return { title: "", xTitle: languageName(from), yTitle: languageName(to) };
}

/** A card may have a name of its own in place of a language tag: then that is the name. */
function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames("en", { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** The alignment of a translation as heat map data; undefined where there is no word to draw. */
function alignment({ weights, targetTokens, sourceTokens }: Translation): HeatmapData | undefined {
  if (targetTokens.length === 0 || sourceTokens.length === 0) return undefined;
  return { weights, rowTokens: targetTokens, columnTokens: sourceTokens };
}

/** The alignment of a translation as an SVG document; undefined where there is no word to draw. */
export function drawing(translation: Translation, axes: Axes): string | undefined {
  const data = alignment(translation);
  return data && heatmap(data, { ...axes, title: "Attention weights", theme: "auto" });
}
