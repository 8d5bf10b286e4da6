import { CONTROLS, held } from "./controls.ts";
import type { Preset } from "./preset.ts";
import { controlsOf, PRESETS, presetNamed, startsOf } from "./presets/index.ts";
import { type Edits, rounded, type Values } from "./values.ts";

/** What a page shows: numbers and the name of a preset, nothing else. */
export interface PlayState {
  readonly preset: Preset;
  readonly values: Values;
  readonly edits: Edits;
}

/** The largest number that a cell takes. */
export const MOST = 99;

/**
 * The state in the fragment of an address: `#preset=dot&T=3&q0.1=2.5`. Only what differs from the start is written.
 *
 * @example
 * toHash({ preset, values: startsOf(preset), edits: {} }); // "preset=dot"
 */
export function toHash({ preset, values, edits }: PlayState): string {
  const starts = startsOf(preset);
  const changed = controlsOf(preset).filter(({ key }) => values[key] !== starts[key]);
  return [
    `preset=${preset.name}`,
    ...changed.map(({ key }) => `${key}=${values[key]}`),
    ...Object.entries(edits).map(([cell, value]) => `${cell}=${value}`),
  ].join("&");
}

/** The state of a fragment; what it does not say, or says wrongly, is as at the start. */
export function fromHash(hash: string): PlayState {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const preset = presetNamed(given.get("preset") ?? "") ?? presetNamed("scaled-dot") ?? PRESETS[0]!;
  const values: Record<string, number> = { ...startsOf(preset) };
  const edits: Record<string, number> = {};
  for (const [key, text] of given) {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    const control = CONTROLS.get(key);
    if (control) values[key] = Number.isFinite(value) ? held(control, value) : values[key]!;
    else if (/^[qkv][0-7]\.[0-5]$/.test(key) && Number.isFinite(value)) edits[key] = cell(value);
  }
  return { preset, values, edits };
}

/** What a cell holds of a number. */
export const cell = (value: number): number => rounded(Math.max(-MOST, Math.min(MOST, value)));
