import type { Translation } from "../tasks/translation/translator.ts";
import { heatmap } from "../viz/heatmap.ts";
import type { HeatmapData } from "../viz/matrix.ts";

/** What the axes of an alignment show. */
export const AXES = { title: "", xTitle: "English", yTitle: "French" } as const;

/** The alignment of a translation as heat map data; undefined where there is no word to draw. */
export function alignment({ weights, targetTokens, sourceTokens }: Translation): HeatmapData | undefined {
  if (targetTokens.length === 0 || sourceTokens.length === 0) return undefined;
  return { weights, rowTokens: targetTokens, columnTokens: sourceTokens };
}

/** The alignment of a translation as an SVG document. */
export function drawing(data: HeatmapData): string {
  return heatmap(data, { ...AXES, title: "Attention weights", theme: "auto" });
}
