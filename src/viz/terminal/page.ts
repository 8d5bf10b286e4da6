import type { AnyCells } from "../../inspect/cells.ts";
import type { Scale } from "../scale.ts";
import { ascii, visible } from "../text.ts";
import type { ColorDepth } from "./capabilities.ts";
import type { Ink } from "./ink.ts";

/** What every part of the terminal map draws with. */
export interface Page {
  readonly depth: ColorDepth;
  readonly unicode: boolean;
  readonly columns: number;
  readonly ink: Ink | undefined;
  readonly scale: Scale;
  readonly numbers: boolean;
}

/** Lines of a map, and what its legend has to explain. */
export interface Drawing {
  readonly lines: readonly string[];
  /** The cells as drawn: pooled where the map was too large. */
  readonly matrix: AnyCells;
  readonly note?: string | undefined;
  readonly look: "color" | "shades" | "numbers";
}

/** A token as this terminal can show it. */
export function printable(page: Pick<Page, "unicode">, token: string): string {
  return page.unicode ? visible(token) : ascii(token);
}

export function ellipsisOf({ unicode }: Pick<Page, "unicode">): string {
  return unicode ? "…" : "~";
}

export function maskedSign({ unicode }: Pick<Page, "unicode">): string {
  return unicode ? "╳" : "x";
}

export const INVALID_SIGN = "?";

/** From nothing to everything, without colour. */
export function shades({ unicode }: Pick<Page, "unicode">): string {
  return unicode ? " ░▒▓█" : " .:-=+*#%@";
}

/** The shade of a position on the scale: equal parts of it for each. */
export function shadeAt(page: Pick<Page, "unicode">, t: number): string {
  const ramp = shades(page);
  return ramp[Math.min(ramp.length - 1, Math.floor(t * ramp.length))]!;
}
