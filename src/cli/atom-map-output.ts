import type { AtomMap } from "../tasks/atom-mapping/mapper.ts";
import { ATOM_MAP_TITLE } from "../tasks/atom-mapping/trace.ts";
import type { HeatmapData } from "../viz/data.ts";
import { heatmap } from "../viz/heatmap.ts";
import type { TerminalCapabilities } from "../viz/terminal/capabilities.ts";
import { terminalHeatmap } from "../viz/terminal.ts";
import type { AnswerFormat } from "./flags.ts";

const WORDS = { xTitle: "Reactant atoms", yTitle: "Product atoms" };
/** What the numbers of both axes mean. */
const KEY = "A product atom and the reactant atom that it was have one number.";

/** What is written of a reaction that could not be mapped: line n of the output is that of line n of the input. */
export const unmapped = (reaction: string, error: string, format: AnswerFormat): string =>
  format === "json" ? `${JSON.stringify({ reaction, mapped: null, confidence: null, error })}\n` : "\n";

/** A mapped reaction as it is printed, line end included. */
export function showAtomMap(
  map: AtomMap,
  cells: HeatmapData,
  format: AnswerFormat,
  terminal: TerminalCapabilities,
): string {
  const { reaction, mapped, confidence, unknown } = map;
  if (format === "json")
    return `${JSON.stringify({ reaction, mapped, confidence, ...(unknown.length > 0 && { unknown }) })}\n`;
  if (format === "line") return `${mapped}\t${confidence.toFixed(6)}\n`;
  const picture = terminalHeatmap(cells, { ...terminal, ...WORDS, title: "", format: "map" });
  return `${mapped}\nconfidence ${confidence.toFixed(3)}\n\n${picture}\n\n`;
}

/** What the head looked at, as an SVG document. */
export function drawAtomMap({ confidence }: AtomMap, cells: HeatmapData): string {
  const note = `${KEY} Confidence ${confidence.toFixed(3)}.`;
  return heatmap(cells, { ...WORDS, title: ATOM_MAP_TITLE, note, theme: "auto" });
}
