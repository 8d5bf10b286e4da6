import type { AnyCells } from "../inspect/cells.ts";
import { cellsOf, type Numbers } from "./data.ts";
import { chooseEdges, type Edge } from "./flow/edges.ts";
import { columnPlaces, type Places } from "./flow/places.ts";
import { oneOf } from "./options.ts";
import { refuse } from "./refuse.ts";
import { coordinate, element, fingerprint, label } from "./svg/markup.ts";
import { fitWidth, textWidth } from "./svg/measure.ts";
import { THEMES, type Theme } from "./svg/theme.ts";
import { belowTitle, PAD, titledDocument } from "./svg/titled.ts";
import { escapeXml, visible } from "./text.ts";

/** The weights of one head, and what the legend calls it. */
export interface NamedHead {
  readonly name: string;
  readonly weights: Numbers | AnyCells;
  /** True or 1 = may attend. */
  readonly mask?: Numbers<boolean | number>;
}

export interface HeadsData {
  /** One to eight. */
  readonly heads: readonly NamedHead[];
  readonly rowTokens: readonly string[];
  readonly columnTokens: readonly string[];
}

export interface HeadsOptions {
  /** The share of each output's weight that its edges hold. @default 0.5 */
  readonly mass?: number;
  /** @default "Heads, one over the other"; empty = none */
  readonly title?: string;
  /** @default "light" */
  readonly theme?: Theme;
}

const TITLE = "Heads, one over the other";
/** Okabe and Ito's colours, which every kind of colour vision tells apart; each head has a dash of its own besides. */
const STROKES = [
  ["#0072b2", ""],
  ["#d55e00", "9 4"],
  ["#009e73", "2 4"],
  ["#cc79a7", "10 3 2 3"],
  ["#e69f00", "5 3"],
  ["#56b4e9", "14 4"],
  ["#1a1a1a", "1 3"],
  ["#f0e442", "12 3 2 3 2 3"],
] as const;
const BLACK = 6;
const YELLOW = 7;
export const MOST_HEADS = STROKES.length;
const MOST_EDGES = 2000;
const THICKEST = 4;
const LEAST_OPACITY = 0.25;
/** How far apart the lines of the first and the last head begin at a node, so that equal heads stay apart. */
const SPREAD = 12;
const LEGEND_PITCH = 22;
const SAMPLE = 34;

/**
 * Up to eight heads over one another as a flow: inputs on the left, outputs on the right, a line for what each output
 * reads.
 *
 *     edge s → t of head h with weight w:    opacity = ¼ + ¾·w,    thickness = 1 + 3·w px
 *
 * A head has a colour and a dash, and the legend names both. Of each output a head draws the strongest edges that hold
 * `mass` of its weight; never more than 2,000 edges in all. Cost: O(H·T·S·log S). Pure: the same data give the same text,
 * without a DOM, and no token can become markup.
 * Colours: Okabe & Ito 2008, "Color Universal Design". View: Vig 2019, arxiv.org/abs/1906.05714.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 * @example
 * const two = [{ name: "head 0", weights: [[0.9, 0.1]] }, { name: "head 1", weights: [[0.2, 0.8]] }];
 * heads({ heads: two, rowTokens: ["aime"], columnTokens: ["I", "love"] });
 */
export function heads(data: HeadsData, options: HeadsOptions = {}): string {
  const op = "heads";
  const { heads, rowTokens, columnTokens } = data;
  const theme = oneOf(op, "theme", options.theme ?? "light", THEMES);
  const { title = TITLE, mass = 0.5 } = options;
  check(op, heads, mass);
  const matrices = heads.map(({ weights, mask }) =>
    cellsOf(op, { weights, rowTokens, columnTokens, ...(mask && { mask }) }),
  );
  const budget = Math.floor(MOST_EDGES / heads.length);
  const chosen = matrices.map((matrix) => chooseEdges(matrix, { mass }, budget));

  const names = heads.map(({ name }) => fitWidth(visible(name), 180, 13));
  const legendTop = belowTitle(title);
  const places = columnPlaces(data, legendTop);
  const legendWidth = SAMPLE + 8 + Math.ceil(Math.max(...names.map((name) => textWidth(name, 13))));
  const width = places.width + PAD + legendWidth + PAD;
  const height = Math.max(places.height, legendTop + 24 + heads.length * LEGEND_PITCH + 28);
  const edges = chosen.reduce((sum, one) => sum + one.edges.length, 0);
  const all = chosen.reduce((sum, one) => sum + one.all, 0);
  const note = `${edges} of ${all} edges, ${Math.round(100 * mass)} % of each head and output.`;
  const id = fingerprint(
    [theme, title, note, ...rowTokens, "", ...columnTokens, ...names, ...matrices.map(numbersOf)].join("\n"),
  );
  const offset = (h: number) => (heads.length === 1 ? 0 : (h / (heads.length - 1) - 0.5) * SPREAD);
  const lines = chosen.map((one, h) =>
    element(
      "g",
      { class: `h h${h}` },
      one.edges.map((edge) => line(edge, places, data, heads[h]!.name, h, offset(h))).join(""),
    ),
  );
  const nodes = (points: Places["inputs"]) =>
    points.map(({ x, y }) => element("circle", { class: "n", cx: x, cy: y, r: 3 })).join("");
  const legend = names.map((name, h) => {
    const [x, y] = [places.width + PAD, legendTop + 24 + h * LEGEND_PITCH];
    const sample = { d: `M${x} ${coordinate(y)}h${SAMPLE}`, "stroke-width": 3 };
    return (
      element("g", { class: `h h${h}` }, under(h, sample) + element("path", dashed(h, sample))) +
      label(name, { class: "t k", x: x + SAMPLE + 8, y: y + 4.5 })
    );
  });
  return titledDocument({
    id,
    theme,
    title,
    unnamed: TITLE,
    description: `${rowTokens.length} output tokens over ${columnTokens.length} input tokens; ${heads.length === 1 ? "one head" : `${heads.length} heads`}. ${note}`,
    width,
    height,
    note,
    // Black is lost on a dark ground and yellow on a light one: the first turns white, the second has an outline.
    rules: ({ text, background }) => [
      [".h", "fill:none;stroke-linecap:butt"],
      [".n", `fill:${text}`],
      [".o", `stroke:${background === "#ffffff" ? "#5c5600" : "none"};stroke-dasharray:none`],
      ...STROKES.slice(0, heads.length).map(
        ([color], h) => [`.h${h}`, `stroke:${h === BLACK ? text : color}`] as const,
      ),
    ],
    content: [...lines, nodes(places.inputs) + nodes(places.outputs), places.labels, ...legend],
  });
}

function check(op: string, heads: readonly NamedHead[], mass: number): void {
  if (heads.length === 0 || heads.length > MOST_HEADS) {
    const remedy = "choose some of them, or draw them side by side with grid";
    refuse(op, "heads", `a list of 1 to ${MOST_HEADS}`, `${heads.length}`, remedy);
  }
  if (!(mass > 0 && mass <= 1))
    refuse(op, "mass", "a number above 0, at most 1", String(mass), "pass such a share");
}

const numbersOf = ({ values, kinds }: AnyCells) => `${values}\n${kinds}`;

type Path = { readonly d: string; readonly "stroke-width": number; readonly "stroke-opacity"?: string };

const dashed = (h: number, path: Path) => ({
  ...path,
  "stroke-dasharray": STROKES[h]![1] || undefined,
});

/** The outline of a yellow line. */
const under = (h: number, path: Path) =>
  h === YELLOW ? element("path", { class: "o", ...path, "stroke-width": path["stroke-width"] + 1.2 }) : "";

function line({ t, s, weight }: Edge, places: Places, data: HeadsData, name: string, h: number, dy: number) {
  const [from, to] = [places.inputs[s]!, places.outputs[t]!];
  const middle = coordinate((from.x + to.x) / 2);
  const [x1, y1, x2, y2] = [from.x, from.y + dy, to.x, to.y + dy].map(coordinate);
  const shown = Math.min(weight, 1);
  const path: Path = {
    d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`,
    "stroke-width": 1 + (THICKEST - 1) * shown,
    "stroke-opacity": coordinate(LEAST_OPACITY + (1 - LEAST_OPACITY) * shown),
  };
  const words = `${visible(name)}: “${visible(data.rowTokens[t]!)}” reads “${visible(data.columnTokens[s]!)}”, ${weight.toFixed(3)}`;
  return under(h, path) + element("path", dashed(h, path), element("title", {}, escapeXml(words)));
}
