import { cellsOf, type HeatmapData } from "./data.ts";
import { summary, warnings } from "./describe.ts";
import { chooseEdges, type Edge, type EdgeChoice, hasWeightAboveOne } from "./flow/edges.ts";
import { articlePlaces, columnPlaces, type Places } from "./flow/places.ts";
import { oneOf } from "./options.ts";
import { refuse } from "./refuse.ts";
import { coordinate, element, fingerprint } from "./svg/markup.ts";
import { THEMES, type Theme } from "./svg/theme.ts";
import { belowTitle, titledDocument } from "./svg/titled.ts";
import { escapeXml, visible } from "./text.ts";

/** `article`: inputs in a row below, outputs above. `columns`: inputs on the left, outputs on the right. */
const LAYOUTS = ["columns", "article"] as const;

export interface FlowOptions {
  /** @default "columns" */
  readonly layout?: (typeof LAYOUTS)[number];
  /** @default { mass: 0.7 }; { threshold: 0.1 } in the layout "article" */
  readonly edges?: EdgeChoice;
  /** @default "Attention Flow"; empty = none */
  readonly title?: string;
  /** @default "light" */
  readonly theme?: Theme;
  /** Called with a sentence for each reason to distrust the picture. */
  readonly onWarning?: (message: string) => void;
}

const TITLE = "Attention Flow";
/** More lines than this are no picture any more, and no browser draws them in a moment. */
const MOST_EDGES = 2000;
const THICKEST = 5;
const RADIUS = 7;
const INPUT_FILL = "#87ceeb"; // skyblue
const OUTPUT_FILL = "#90ee90"; // lightgreen

/**
 * Attention flow: a line from every input to the outputs that read it.
 *
 *     edge s → t with weight w:    opacity = min(w, 1),    thickness = 5·min(w, 1) px
 *
 * Which edges are drawn is the choice of `edges`; never more than the 2,000 strongest. The note below says how many
 * there are and how much of the weight they hold. The layout "article" is the figure of matplotlib in the article that
 * heed began with: a threshold of 0.1, inputs skyblue below, outputs lightgreen above; here nodes lie above the lines,
 * rows are centred, and long words end in an ellipsis. Lengths may differ.
 *
 * Cost: O(T·S·log S). Pure: the same data give the same text, without a DOM, and no token can become markup.
 *
 * @throws ShapeError SHAPE, OptionError OPTION
 * @example
 * const svg = flow({
 *   weights: [[0.9, 0.1], [0.2, 0.8]],
 *   rowTokens: ["J'", "aime"],
 *   columnTokens: ["I", "love"],
 * }, { layout: "article", edges: { threshold: 0.15 } });
 */
export function flow(data: HeatmapData, options: FlowOptions = {}): string {
  const op = "flow";
  const matrix = cellsOf(op, data);
  const layout = oneOf(op, "layout", options.layout ?? "columns", LAYOUTS);
  const theme = oneOf(op, "theme", options.theme ?? "light", THEMES);
  const choice = options.edges ?? (layout === "article" ? { threshold: 0.1 } : { mass: 0.7 });
  checkChoice(op, choice);
  const title = options.title ?? TITLE;
  for (const warning of warnings(op, matrix, data)) options.onWarning?.(warning);

  const { edges, all, mass } = chooseEdges(matrix, choice, MOST_EDGES);
  const shown = edges.length === 1 ? "1 edge" : `${edges.length} edges`;
  const rule =
    "threshold" in choice
      ? `weight > ${choice.threshold}`
      : `${Math.round(100 * choice.mass)} % of each output`;
  const clamped = hasWeightAboveOne(matrix) ? "; weights above 1 are drawn as 1" : "";
  const note = `${shown} of ${all}, ${Math.round(100 * mass)} % of the weight (${rule})${clamped}.`;
  const top = belowTitle(title);
  const places = (layout === "article" ? articlePlaces : columnPlaces)(data, top);
  const { width, height } = places;
  const id = fingerprint(
    [theme, layout, title, note, ...data.rowTokens, "", ...data.columnTokens, ...matrix.values].join("\n"),
  );
  const nodes = (points: Places["inputs"], fill: string) =>
    points.map(({ x, y }) => element("circle", { class: "n", cx: x, cy: y, r: RADIUS, fill })).join("");
  return titledDocument({
    id,
    theme,
    title,
    unnamed: TITLE,
    titleInMiddle: true,
    description: `${summary(matrix, data)} ${note}`,
    width,
    height,
    note,
    rules: ({ edge, text }) => [
      [".e", `fill:none;stroke:${edge}`],
      [".n", `stroke:${text}`],
    ],
    content: [
      element(
        "g",
        { class: "e", "stroke-linecap": "round" },
        edges.map((edge) => line(edge, places, data)).join(""),
      ),
      nodes(places.inputs, INPUT_FILL) + nodes(places.outputs, OUTPUT_FILL),
      places.labels,
    ],
  });
}

function checkChoice(op: string, choice: EdgeChoice): void {
  const [option, value] = "threshold" in choice ? ["threshold", choice.threshold] : ["mass", choice.mass];
  if (typeof value === "number" && value >= 0 && value <= 1) return;
  const remedy = "pass { threshold } or { mass } in that range";
  refuse(op, `edges.${option}`, "a number from 0 to 1", String(value), remedy);
}

/** A number as written into the picture: six digits, so that it can be read back. */
const written = (weight: number) => String(Number(weight.toPrecision(6)));

function line({ t, s, weight }: Edge, { inputs, outputs, curved }: Places, data: HeatmapData): string {
  const [from, to] = [inputs[s]!, outputs[t]!];
  const middle = coordinate((from.x + to.x) / 2);
  const [x1, y1, x2, y2] = [from.x, from.y, to.x, to.y].map(coordinate);
  const d = curved ? `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}` : `M${x1} ${y1}L${x2} ${y2}`;
  const shown = Math.min(weight, 1);
  const words = `“${visible(data.rowTokens[t]!)}” reads “${visible(data.columnTokens[s]!)}”: ${weight.toFixed(3)}`;
  return element(
    "path",
    { d, "stroke-opacity": written(shown), "stroke-width": written(shown * THICKEST) },
    element("title", {}, escapeXml(words)),
  );
}
