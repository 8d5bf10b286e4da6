import { OptionError } from "../core/errors.ts";
import { summary, warnings } from "./describe.ts";
import { chooseEdges, type Edge, type EdgeChoice, hasWeightAboveOne } from "./flow/edges.ts";
import { type HeatmapData, toMatrix } from "./matrix.ts";
import { oneOf } from "./options.ts";
import { svgDocument } from "./svg/document.ts";
import { TOKEN_SIZE } from "./svg/layout.ts";
import { coordinate, element, fingerprint, label } from "./svg/markup.ts";
import { fitWidth, textWidth } from "./svg/measure.ts";
import { THEMES, type Theme } from "./svg/theme.ts";
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
const PAD = 16;
const TITLE_HEIGHT = 44;
const NOTE_HEIGHT = 28;
const INPUT_FILL = "#87ceeb"; // skyblue
const OUTPUT_FILL = "#90ee90"; // lightgreen
const LEAST_PITCH = 36;
const MOST_PITCH = 110;
const ROW_PITCH = 26;
const LONGEST_LABEL = 168;
const ARTICLE_HEIGHT = 300;
const COLUMNS_GAP = 300;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where the nodes and their labels are. */
interface Places {
  readonly width: number;
  readonly height: number;
  readonly inputs: readonly Point[];
  readonly outputs: readonly Point[];
  readonly labels: string;
  readonly curved: boolean;
}

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
 * @throws ShapeError `MATRIX_SIZE`, OptionError `MATRIX_EMPTY` or `VIZ_OPTION`
 * @example
 * const svg = flow({
 *   weights: [[0.9, 0.1], [0.2, 0.8]],
 *   rowTokens: ["J'", "aime"],
 *   columnTokens: ["I", "love"],
 * }, { layout: "article", edges: { threshold: 0.15 } });
 */
export function flow(data: HeatmapData, options: FlowOptions = {}): string {
  const op = "flow";
  const matrix = toMatrix(op, data);
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
  const top = title === "" ? PAD : TITLE_HEIGHT;
  const places = (layout === "article" ? articlePlaces : columnPlaces)(data, top);
  const { width, height } = places;
  const id = fingerprint(
    [theme, layout, title, note, ...data.rowTokens, "", ...data.columnTokens, ...matrix.values].join("\n"),
  );
  const nodes = (points: readonly Point[], fill: string) =>
    points.map(({ x, y }) => element("circle", { class: "n", cx: x, cy: y, r: RADIUS, fill })).join("");
  return svgDocument({
    id,
    theme,
    title: title || TITLE,
    description: `${summary(matrix, data)} ${note}`,
    width,
    height,
    rules: ({ edge, text }) => [
      [".e", `fill:none;stroke:${edge}`],
      [".n", `stroke:${text}`],
    ],
    content: [
      element("rect", { class: "bg", width, height }),
      title === ""
        ? ""
        : label(fitWidth(visible(title), width - 2 * PAD, 18), {
            class: "t k",
            x: width / 2,
            y: 30,
            "font-size": 18,
            "text-anchor": "middle",
          }),
      element(
        "g",
        { class: "e", "stroke-linecap": "round" },
        edges.map((edge) => line(edge, places, data)).join(""),
      ),
      nodes(places.inputs, INPUT_FILL) + nodes(places.outputs, OUTPUT_FILL),
      places.labels,
      label(fitWidth(note, width - 2 * PAD, 12), { class: "t", x: PAD, y: height - 12, "font-size": 12 }),
    ],
  });
}

function checkChoice(op: string, choice: EdgeChoice): void {
  const [option, value] = "threshold" in choice ? ["threshold", choice.threshold] : ["mass", choice.mass];
  if (typeof value === "number" && value >= 0 && value <= 1) return;
  const details = { op, option: `edges.${option}`, rule: "a number from 0 to 1", got: String(value) };
  throw new OptionError("VIZ_OPTION", { ...details, remedy: "pass { threshold } or { mass } in that range" });
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

/** The article's: inputs below, outputs above, both rows centred. */
function articlePlaces({ rowTokens, columnTokens }: HeatmapData, top: number): Places {
  const all = [...rowTokens, ...columnTokens].map((token) => textWidth(visible(token), TOKEN_SIZE));
  const pitch = Math.min(MOST_PITCH, Math.max(LEAST_PITCH, Math.ceil(Math.max(...all)) + 10));
  const most = Math.max(rowTokens.length, columnTokens.length);
  const width = Math.max(360, 2 * PAD + most * pitch);
  const row = (n: number, y: number) =>
    Array.from({ length: n }, (_, at) => ({ x: width / 2 + (at - (n - 1) / 2) * pitch, y }));
  const outputs = row(rowTokens.length, top + 36);
  const inputs = row(columnTokens.length, top + ARTICLE_HEIGHT - 36);
  const words = (tokens: readonly string[], points: readonly Point[], dy: number) =>
    points.map(({ x, y }, at) =>
      label(fitWidth(visible(tokens[at]!), pitch - 6, TOKEN_SIZE), {
        class: "t k",
        x,
        y: y + dy,
        "text-anchor": "middle",
      }),
    );
  const labels = [...words(rowTokens, outputs, -16), ...words(columnTokens, inputs, 26)].join("");
  return { width, height: top + ARTICLE_HEIGHT + NOTE_HEIGHT, inputs, outputs, labels, curved: false };
}

/** For real sentences: every word has a line of its own. */
function columnPlaces({ rowTokens, columnTokens }: HeatmapData, top: number): Places {
  const fitted = (tokens: readonly string[]) =>
    tokens.map((token) => fitWidth(visible(token), LONGEST_LABEL, TOKEN_SIZE));
  const widest = (texts: readonly string[]) =>
    Math.ceil(Math.max(...texts.map((text) => textWidth(text, TOKEN_SIZE))));
  const [ins, outs] = [fitted(columnTokens), fitted(rowTokens)];
  const left = PAD + widest(ins) + 16;
  const right = left + COLUMNS_GAP;
  const most = Math.max(ins.length, outs.length);
  const column = (n: number, x: number) =>
    Array.from({ length: n }, (_, at) => ({ x, y: top + 24 + ROW_PITCH * (at + (most - n) / 2) }));
  const [inputs, outputs] = [column(ins.length, left), column(outs.length, right)];
  const words = (texts: readonly string[], points: readonly Point[], dx: number, anchor: string) =>
    points.map(({ x, y }, at) =>
      label(texts[at]!, { class: "t k", x: x + dx, y: y + 4.5, "text-anchor": anchor }),
    );
  const labels = [...words(ins, inputs, -14, "end"), ...words(outs, outputs, 14, "start")].join("");
  const width = right + 16 + widest(outs) + PAD;
  return { width, height: top + 24 + ROW_PITCH * most + NOTE_HEIGHT, inputs, outputs, labels, curved: true };
}
