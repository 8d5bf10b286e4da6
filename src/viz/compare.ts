import { ShapeError } from "../core/errors.ts";
import { unequal } from "../core/faults.ts";
import { MASKED, VALUE } from "../inspect/cells.ts";
import { cellsOf, type HeatmapData } from "./data.ts";
import { type HeatmapOptions, heatmap } from "./heatmap.ts";
import { svgDocument } from "./svg/document.ts";
import { element, fingerprint } from "./svg/markup.ts";

export interface CompareOptions
  extends Pick<HeatmapOptions, "palette" | "domain" | "theme" | "xTitle" | "yTitle"> {
  /** Names of the two. @default ["A", "B"] */
  readonly names?: readonly [a: string, b: string];
  /** Width and height of one of the three maps. @default { width: 520, height: 460 } */
  readonly size?: { readonly width: number; readonly height: number };
}

const SIZE = { width: 520, height: 460 };

/**
 * Two maps of the same words side by side, and their difference.
 *
 *     A,    B,    A − B
 *
 * A and B share one scale; the difference has its own, even around 0, in purple where A is more and orange where B is.
 * What is masked in either is masked in the difference. Cost: O(T·S). Pure: the same data give the same text.
 *
 * @throws ShapeError SHAPE or DIMENSION when the maps differ in size · what `heatmap` throws
 * @example
 * const words = { rowTokens: ["a", "b"], columnTokens: ["x", "y"] };
 * compare({ ...words, weights: [[1, 0], [0, 1]] }, { ...words, weights: [[0.5, 0.5], [0, 1]] });
 */
export function compare(a: HeatmapData, b: HeatmapData, options: CompareOptions = {}): string {
  const op = "compare";
  const { names = ["A", "B"], size = SIZE, ...look } = options;
  const [one, other] = [cellsOf(op, a), cellsOf(op, b)];
  if (one.rows !== other.rows || one.columns !== other.columns) {
    const shapes = { aShape: [one.rows, one.columns], bShape: [other.rows, other.columns] };
    throw new ShapeError(
      "DIMENSION",
      unequal({ op, letter: "shape", a: "the first map", b: "the second", ...shapes }),
    );
  }
  const values = new Float64Array(one.values.length);
  const kinds = new Uint8Array(values.length);
  let most = 0;
  for (let cell = 0; cell < values.length; cell++) {
    const [a, b] = [one.kinds[cell]!, other.kinds[cell]!];
    kinds[cell] = a === MASKED || b === MASKED ? MASKED : a === VALUE ? b : a;
    if (kinds[cell] === VALUE) values[cell] = one.values[cell]! - other.values[cell]!;
    most = Math.max(most, Math.abs(values[cell]!));
  }
  most ||= 1;
  const { rows, columns } = one;
  const { rowTokens, columnTokens } = a;
  const difference = { rows, columns, values, kinds };
  const title = `${names[0]} − ${names[1]}`;
  const shared = { ...look, size };
  const panels = [
    heatmap(a, { ...shared, title: names[0] }),
    heatmap(b, { ...shared, title: names[1] }),
    heatmap(
      { weights: difference, rowTokens, columnTokens },
      { ...shared, title, palette: "PuOr", domain: [-most, most], value: "difference" },
    ),
  ];
  let width = 0;
  let height = 0;
  const content = panels.map((panel) => {
    const [, w, h] = /\bwidth="([\d.]+)" height="([\d.]+)"/.exec(panel)!;
    const placed = panel.replace("<svg ", `<svg x="${width}" y="0" `);
    width += Number(w);
    height = Math.max(height, Number(h));
    return placed;
  });
  const id = fingerprint(panels.join("\n"));
  const background = element("rect", { class: "bg", width, height });
  const description = `Two maps of ${rows} × ${columns} weights and their difference, which is at most ${most.toFixed(3)}.`;
  const theme = look.theme ?? "light";
  return svgDocument({ id, theme, title, description, width, height, content: [background, ...content] });
}
