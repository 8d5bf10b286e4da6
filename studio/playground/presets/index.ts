import { CONTROLS, type Control } from "../controls.ts";
import type { Preset } from "../preset.ts";
import { FAMILIES } from "../preset.ts";
import type { Values } from "../values.ts";
import { CHOICES } from "./choices.ts";
import { FEATURES } from "./features.ts";
import { GLIMPSES } from "./glimpses.ts";
import { LAYERS } from "./layers.ts";
import { SCORES } from "./scores.ts";
import { SIGHTS } from "./sights.ts";

/** Every mechanism of the playground, family by family. */
export const PRESETS: readonly Preset[] = [
  ...[SCORES, CHOICES, SIGHTS, LAYERS, FEATURES, GLIMPSES].flat(),
].sort((a, b) => FAMILIES.indexOf(a.family) - FAMILIES.indexOf(b.family));

export const presetNamed = (name: string): Preset | undefined =>
  PRESETS.find((preset) => preset.name === name);

/** The controls of a preset, in its order, each once. */
export function controlsOf({ controls }: Preset): readonly Control[] {
  return [...new Set(controls)].map((key) => CONTROLS.get(key)!);
}

/** The values that a preset starts from. */
export function startsOf(preset: Preset): Values {
  const own = Object.fromEntries([...CONTROLS.values()].map(({ key, start }) => [key, start]));
  return { ...own, ...preset.starts };
}
