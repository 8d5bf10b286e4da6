import { oneOf } from "./options.ts";
import { refuse } from "./refuse.ts";
import { element, fingerprint, label } from "./svg/markup.ts";
import { textWidth } from "./svg/measure.ts";
import { THEMES, type Theme } from "./svg/theme.ts";
import { belowTitle, PAD, titledDocument } from "./svg/titled.ts";
import { visible } from "./text.ts";

type Shaped = { readonly shape: readonly number[] };

/** What one call of attention made, by stage: the trace of `attend`, and its queries. Only the shapes are read. */
export interface PipelineData {
  /** Keys' source: what the encoder was given. @default not drawn */
  readonly input?: Shaped;
  readonly queries: Shaped;
  readonly trace: {
    readonly encoded: Shaped;
    readonly scores: Shaped;
    readonly masked: Shaped;
    readonly weights: Shaped;
    readonly context: Shaped;
    readonly output: Shaped;
  };
}

export interface PipelineOptions {
  /** The step from masked scores to weights. @default "Softmax" */
  readonly normalize?: string;
  /** @default "Attention, step by step"; empty = none */
  readonly title?: string;
  /** @default "light" */
  readonly theme?: Theme;
}

const TITLE = "Attention, step by step";
const SIZE = 13;
const SMALL = 12;
const BOX_HEIGHT = 40;
const BOX_PAD = 14;
const ARROW_PAD = 18;
/** Room above the row of boxes for the query. */
const ABOVE = 84;

/** A step, and the arrow that leaves it. */
interface Step {
  readonly name: string;
  /** Shape of what leaves it. */
  readonly gives?: readonly number[];
}

/**
 * The pipeline of attention, with the shapes of a real call on its arrows.
 *
 *     input → Encoder → Scores → Mask → Softmax → Weights → Context → Output
 *                         ↑ query
 *
 * Made from what a call returned, `attend({ …, trace: true })`, so that it shows the call and not an idea of it. The
 * encoder feeds keys and values; the query enters at the scores.
 * Cost: none. Pure: the same data give the same text, without a DOM. Figure: the article that heed began with, and
 * Bahdanau, Cho & Bengio 2014, figure 1, arxiv.org/abs/1409.0473.
 *
 * @throws OptionError OPTION when a stage is missing
 * @example
 * const shape = [2, 3, 5];
 * const stage = { shape };
 * const trace = { encoded: { shape: [2, 5, 4] }, scores: stage, masked: stage, weights: stage, context: { shape: [2, 3, 4] }, output: { shape: [2, 3, 4] } };
 * pipelineDiagram({ queries: { shape: [2, 3, 4] }, trace });
 */
export function pipelineDiagram(
  { input, queries, trace }: PipelineData,
  options: PipelineOptions = {},
): string {
  const op = "pipelineDiagram";
  const theme = oneOf(op, "theme", options.theme ?? "light", THEMES);
  const { title = TITLE, normalize = "Softmax" } = options;
  const shapeOf = (name: string, stage: Shaped | undefined) => {
    if (Array.isArray(stage?.shape)) return stage.shape;
    const remedy = "pass what attend({ …, trace: true }) returned";
    return refuse(op, name, "a stage with a shape", String(stage), remedy);
  };
  const stage = (name: keyof PipelineData["trace"]) => shapeOf(`trace.${name}`, trace?.[name]);
  const query = shapeOf("queries", queries);
  const steps: Step[] = [
    ...(input ? [{ name: "Input", gives: shapeOf("input", input) }] : []),
    { name: "Encoder", gives: stage("encoded") },
    { name: "Scores", gives: stage("scores") },
    { name: "Mask", gives: stage("masked") },
    { name: normalize, gives: stage("weights") },
    { name: "Weights × values", gives: stage("context") },
    { name: "Context", gives: stage("output") },
    { name: "Output" },
  ];
  const top = belowTitle(title) + ABOVE;
  const placed = place(steps);
  const scores = placed.find(({ name }) => name === "Scores")!;
  const width = Math.ceil(placed.at(-1)!.x + placed.at(-1)!.width + PAD);
  const height = top + BOX_HEIGHT + 40;
  const id = fingerprint(
    [theme, title, normalize, width, ...placed.map(({ name, gives }) => `${name} ${gives}`), query].join(
      "\n",
    ),
  );
  const middle = top + BOX_HEIGHT / 2;
  const boxes = placed.map(({ name, x, width: w }) => box(name, x, top, w));
  const arrows = placed.slice(0, -1).map(({ x, width: w, gives }, n) => {
    const [from, to] = [x + w, placed[n + 1]!.x];
    return arrow(from, middle, to, middle, id) + shapeLabel(gives!, (from + to) / 2, middle - 8, "middle");
  });
  const center = scores.x + scores.width / 2;
  const queryTop = top - ABOVE + 4;
  const queryWidth = textWidth("Query", SIZE) + 2 * BOX_PAD;
  const sentence = placed
    .map(({ name, gives }) => (gives ? `${name} gives ${show(gives)}` : name))
    .join(", ");
  return titledDocument({
    id,
    theme,
    title,
    unnamed: TITLE,
    description: `${sentence}. The query ${show(query)} enters at the scores.`,
    width,
    height,
    definitions: head(id),
    rules: ({ edge }) => [
      [".a", `fill:none;stroke:${edge};stroke-width:1.5`],
      [".h", `fill:${edge}`],
    ],
    content: [
      box("Query", center - queryWidth / 2, queryTop, queryWidth),
      arrow(center, queryTop + BOX_HEIGHT, center, top, id) +
        shapeLabel(query, center + 8, top - 16, "start"),
      ...boxes,
      ...arrows,
    ],
  });
}

const show = (shape: readonly number[]) => `[${shape.join(", ")}]`;

/** Boxes as wide as their names, arrows as long as their shapes. */
function place(steps: readonly Step[]) {
  let x = PAD;
  return steps.map((step) => {
    const width = Math.ceil(textWidth(visible(step.name), SIZE)) + 2 * BOX_PAD;
    const placed = { ...step, x, width };
    x += width + (step.gives ? Math.ceil(textWidth(show(step.gives), SMALL)) + ARROW_PAD : 0);
    return placed;
  });
}

function box(name: string, x: number, y: number, width: number): string {
  const middle = { x: x + width / 2, y: y + BOX_HEIGHT / 2 + 4.5, "text-anchor": "middle" };
  return (
    element("rect", { class: "l", x, y, width, height: BOX_HEIGHT, rx: 6 }) +
    label(visible(name), { class: "t k", "font-size": SIZE, ...middle })
  );
}

function arrow(x1: number, y1: number, x2: number, y2: number, id: string): string {
  return element("line", { class: "a", x1, y1, x2, y2, "marker-end": `url(#${id}-a)` });
}

function shapeLabel(shape: readonly number[], x: number, y: number, anchor: string): string {
  return label(show(shape), { class: "t", x, y, "font-size": SMALL, "text-anchor": anchor });
}

function head(id: string): string {
  const size = {
    viewBox: "0 0 8 8",
    refX: 8,
    refY: 4,
    markerWidth: 8,
    markerHeight: 8,
    markerUnits: "userSpaceOnUse",
  };
  const marker = element(
    "marker",
    { id: `${id}-a`, ...size, orient: "auto" },
    element("path", { class: "h", d: "M0 0L8 4L0 8z" }),
  );
  return element("defs", {}, marker);
}
