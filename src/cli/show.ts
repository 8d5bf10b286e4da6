import type { Translation } from "../tasks/translation/translator.ts";
import { type TerminalCapabilities, terminalCapabilities } from "../viz/terminal/capabilities.ts";
import { terminalHeatmap } from "../viz/terminal.ts";
import { visible } from "../viz/text.ts";
import { type Axes, alignment } from "./drawing.ts";
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
  const { source, target, sourceTokens, targetTokens, weights, score } = translation;
  if (format === "json") {
    return `${JSON.stringify({ source, target, sourceTokens, targetTokens, weights, score })}\n`;
  }
  const line = `${safe(target, terminal)}\n`;
  const data = alignment(translation);
  if (format === "plain" || !data) return line;
  const picture = terminalHeatmap(data, { ...terminal, ...axes, format });
  return format === "map" ? `${line}\n${picture}\n\n` : `${line}${picture.replace(/^/gm, "  ")}\n`;
}

/** What could steer a terminal: escape sequences, other controls, changes of direction. */
const STEERING = /[\p{Cc}\p{Cs}\p{Bidi_Control}]/gu;

/** A sentence for a terminal has what could steer it made visible; a pipe gets what is there. */
export function safe(text: string, { isTTY }: TerminalCapabilities): string {
  return isTTY ? text.replace(STEERING, visible) : text;
}
