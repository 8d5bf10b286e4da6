import type { Translation, Translator } from "../tasks/translation/translator.ts";
import { heatmap } from "../viz/heatmap.ts";
import type { HeatmapData } from "../viz/matrix.ts";

/** What the axes of an alignment show. */
export interface Axes {
  readonly title: "";
  readonly xTitle: string;
  readonly yTitle: string;
}

/** The axes of a model's alignments, named after its languages: `en` → `English`. */
export function axesOf({ from, to }: Pick<Translator["card"], "from" | "to">): Axes {
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
export function alignment({ weights, targetTokens, sourceTokens }: Translation): HeatmapData | undefined {
  if (targetTokens.length === 0 || sourceTokens.length === 0) return undefined;
  return { weights, rowTokens: targetTokens, columnTokens: sourceTokens };
}

/** The alignment of a translation as an SVG document; undefined where there is no word to draw. */
export function drawing(translation: Translation, axes: Axes): string | undefined {
  const data = alignment(translation);
  return data && heatmap(data, { ...axes, title: "Attention weights", theme: "auto" });
}
