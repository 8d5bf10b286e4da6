import { colorAt, hex } from "./color.ts";
import { oneOf, positiveInteger } from "./options.ts";
import { refuse, refuseLength } from "./refuse.ts";
import { formatNumber } from "./scale.ts";
import { svgDocument } from "./svg/document.ts";
import { TOKEN_SIZE } from "./svg/layout.ts";
import { coordinate, element, fingerprint, label } from "./svg/markup.ts";
import { fitWidth, textWidth } from "./svg/measure.ts";
import { THEMES, type Theme } from "./svg/theme.ts";
import { PAD } from "./svg/titled.ts";
import { visible } from "./text.ts";

export interface NeuronData {
  /** The query, D numbers. */
  readonly query: ArrayLike<number>;
  /** The keys that it may attend to, D numbers each. */
  readonly keys: readonly ArrayLike<number>[];
  readonly queryToken: string;
  readonly keyTokens: readonly string[];
  /** The weight of each key. */
  readonly weights: ArrayLike<number>;
  /** Factor of q·k. @default 1/√D */
  readonly scale?: number;
}

export interface NeuronOptions {
  /** The most keys that get a row: those of the largest weights, in their own order. @default 16 */
  readonly most?: number;
  /** @default "What made the scores"; empty = none */
  readonly title?: string;
  /** @default "light" */
  readonly theme?: Theme;
}

const TITLE = "What made the scores";

const ROW = 26;
const CELL = 18;
/** The strips together are as wide as this where the channels allow. */
const STRIP = 480;
const LEAST_CELL = 3;
const LONGEST_LABEL = 150;
const BAR = 90;
const LEGEND = 200;

/**
 * The neuron view: which channels make the score of one query with each key.
 *
 *     score_s = scale · Σ_d q_d k_sd,    strip of key s: q_d k_sd for each channel d
 *
 * Purple adds to a score, orange takes from it; all strips of products share one scale, even around 0, and the query has
 * its own. Right of a strip are the score and the weight. The channels that add most to the strongest key's score are
 * named in the note. Cost: O(S·D). Pure: the same data give the same text, without a DOM.
 * View: Vig 2019, "A Multiscale Visualization of Attention in the Transformer Model", arxiv.org/abs/1906.05714.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 * @example
 * const keys = [[1, 0], [0.5, 2]];
 * neuron({ query: [1, -1], keys, queryToken: "it", keyTokens: ["cat", "sat"], weights: [0.9, 0.1] });
 */
export function neuron(data: NeuronData, options: NeuronOptions = {}): string {
  const op = "neuron";
  check(op, data);
  const theme = oneOf(op, "theme", options.theme ?? "light", THEMES);
  const most = positiveInteger(op, "most", options.most ?? 16);
  const { title = TITLE } = options;
  const { query, keys, weights } = data;
  const D = query.length;
  const scale = data.scale ?? 1 / Math.sqrt(D);
  const shown = strongest(weights, most);
  const products = shown.map((s) => Float64Array.from(query, (x, d) => x * keys[s]![d]!));
  const scores = products.map((row) => scale * row.reduce((sum, x) => sum + x, 0));
  const reach = Math.max(...products.map(largest)) || 1;
  const queryReach = largest(query) || 1;

  const keyNames = shown.map((s) => fitWidth(visible(data.keyTokens[s]!), LONGEST_LABEL, TOKEN_SIZE));
  const queryName = fitWidth(`q of “${visible(data.queryToken)}”`, LONGEST_LABEL, TOKEN_SIZE);
  const labels = Math.ceil(Math.max(...[...keyNames, queryName].map((name) => textWidth(name, TOKEN_SIZE))));
  const left = PAD + labels + 10;
  const cell = Math.max(LEAST_CELL, Math.floor(STRIP / D));
  const right = left + cell * D;
  const top = title === "" ? PAD : 48;
  const rowsTop = top + ROW + 28;
  const [scoreRight, barLeft] = [right + 70, right + 86];
  const width = Math.max(barLeft + BAR + 48 + PAD, left + LEGEND + 470);
  const legendTop = rowsTop + shown.length * ROW + 20;
  const height = legendTop + 72;
  const strip = (values: ArrayLike<number>, y: number, bound: number) => {
    const squares = Array.from(values, (value, d) => {
      const fill = hex(colorAt("PuOr", 0.5 + value / (2 * bound)));
      const square = { x: left + d * cell, y, width: cell, height: CELL, fill };
      return element("rect", square, element("title", {}, `channel ${d}: ${formatNumber(value)}`));
    });
    const frame = element("rect", { class: "l", x: left, y, width: cell * D, height: CELL });
    return element("g", { "shape-rendering": "crispEdges" }, squares.join("")) + frame;
  };
  const words = (text: string, x: number, y: number, anchor = "start", size = TOKEN_SIZE) =>
    label(text, { class: "t k", x, y, "text-anchor": anchor, "font-size": size });
  const rows = shown.map((s, n) => {
    const y = rowsTop + n * ROW;
    const length = BAR * Math.max(0, Math.min(1, weights[s]!));
    return (
      words(keyNames[n]!, left - 10, y + 13.5, "end") +
      strip(products[n]!, y, reach) +
      words(scores[n]!.toFixed(2), scoreRight, y + 13.5, "end") +
      element("rect", { class: "b", x: barLeft, y: y + 3, width: length, height: CELL - 6 }) +
      words(weights[s]!.toFixed(2), barLeft + length + 6, y + 13.5)
    );
  });
  const best = Array.from(weights).indexOf(Math.max(...Array.from(weights)));
  const bestName = fitWidth(visible(data.keyTokens[best]!), LONGEST_LABEL, 12);
  const leading = leadingChannels(query, keys[best]!, scale);
  const others = keys.length > shown.length ? `${shown.length} of ${keys.length} keys; ` : "";
  const note = `${others}most of the score with “${bestName}”: ${leading}.`;
  const id = fingerprint(
    [theme, title, note, width, queryName, ...keyNames, ...products, ...scores].map(String).join("\n"),
  );
  const gradient = element(
    "linearGradient",
    { id: `${id}-g` },
    Array.from({ length: 33 }, (_, n) => {
      const offset = `${coordinate((100 * n) / 32)}%`;
      return element("stop", { offset, "stop-color": hex(colorAt("PuOr", n / 32)) });
    }).join(""),
  );
  const bar = { x: left, y: legendTop, width: LEGEND, height: 12 };
  const ends = `orange takes from the score, purple adds to it; the query has ±${formatNumber(queryReach)}`;
  return svgDocument({
    id,
    theme,
    title: title || TITLE,
    description: `The products of one query, “${visible(data.queryToken)}”, with ${shown.length} keys, channel by channel; ${note}`,
    width,
    height,
    rules: ({ edge }) => [[".b", `fill:${edge}`]],
    content: [
      element("defs", {}, gradient),
      element("rect", { class: "bg", width, height }),
      title === "" ? "" : words(fitWidth(visible(title), width - 2 * PAD, 18), PAD, 30, "start", 18),
      words(queryName, left - 10, top + 13.5, "end") + strip(query, top, queryReach),
      words(`q ⊙ k, channels 0 to ${D - 1}`, left, rowsTop - 9, "start", 12),
      words(`score (× ${formatNumber(scale)})`, scoreRight + 6, rowsTop - 9, "end", 12),
      words("weight", barLeft + 14, rowsTop - 9, "start", 12),
      ...rows,
      element("rect", { ...bar, fill: `url(#${id}-g)` }) + element("rect", { class: "l", ...bar }),
      words(formatNumber(-reach), left, legendTop + 27, "start", 12),
      words("0", left + LEGEND / 2, legendTop + 27, "middle", 12),
      words(formatNumber(reach), left + LEGEND, legendTop + 27, "end", 12),
      words(ends, left + LEGEND + 14, legendTop + 11, "start", 12),
      words(fitWidth(note, width - 2 * PAD, 12), PAD, height - 14, "start", 12),
    ],
  });
}

function check(op: string, { query, keys, keyTokens, weights, scale = 1 }: NeuronData): void {
  if (query.length === 0) refuse(op, "query", "one channel or more", "none", "pass q of one position");
  if (keys.length === 0)
    refuse(op, "keys", "one key or more", "none", "pass those that the query may attend to");
  if (!Number.isFinite(scale)) refuse(op, "scale", "a finite number", String(scale), "or leave it out");
  const sized = (name: string, got: number, letters: string, expected: number) => {
    if (got !== expected) refuseLength(op, name, letters, expected, got);
  };
  sized("keyTokens", keyTokens.length, "keys", keys.length);
  sized("weights", weights.length, "keys", keys.length);
  for (const [s, key] of keys.entries()) sized(`keys[${s}]`, key.length, "D", query.length);
  for (const [name, numbers] of [
    ["query", query],
    ["weights", weights],
    ...keys.map((key, s) => [`keys[${s}]`, key] as const),
  ] as const) {
    const wrong = Array.from(numbers).find((value) => !Number.isFinite(value));
    if (wrong !== undefined)
      refuse(op, name, "finite numbers", String(wrong), "look for an overflow where they were made");
  }
}

/** The places of the largest weights, in growing order. */
function strongest(weights: ArrayLike<number>, most: number): number[] {
  return Array.from(weights, (weight, s) => ({ weight, s }))
    .sort((a, b) => b.weight - a.weight || a.s - b.s)
    .slice(0, most)
    .map(({ s }) => s)
    .sort((a, b) => a - b);
}

const largest = (values: ArrayLike<number>) =>
  Array.from(values).reduce((most, x) => Math.max(most, Math.abs(x)), 0);

/** `channel 3 +1.25, channel 0 +0.5`: the three largest parts of a score. */
function leadingChannels(query: ArrayLike<number>, key: ArrayLike<number>, scale: number): string {
  return Array.from(query, (x, d) => ({ d, part: scale * x * key[d]! }))
    .sort((a, b) => Math.abs(b.part) - Math.abs(a.part) || a.d - b.d)
    .slice(0, 3)
    .map(({ d, part }) => `channel ${d} ${part < 0 ? "−" : "+"}${formatNumber(Math.abs(part))}`)
    .join(", ");
}
