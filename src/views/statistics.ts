import { type HeadStatistics, layerMap, type Trace, type TraceLayer } from "../inspect/index.ts";
import { finished } from "../inspect/map/map.ts";
import { headStatisticsSteps } from "../inspect/statistics/head.ts";
import { ascii, displayWidth, fitColumns, type StatisticsData, statistics, visible } from "../viz/index.ts";
import { chooseLayer, titled } from "./layers.ts";
import type { PictureOptions, TextOptions } from "./options.ts";
import type { ViewRecord } from "./view.ts";

/** Of a page: more weights than these take minutes. */
const MOST_ON_PAGE = 1 << 24;
/** At the least scale of a page's pictures, 0.6, it fits a phone. */
const WIDTH_ON_PAGE = 560;
const LONGEST_NAME = 24;

type Named = { [Name in keyof HeadStatistics]: HeadStatistics[Name] extends number ? Name : never };
type NumberName = Named[keyof HeadStatistics];

/** The measures in the table, and those of them that make sense for self-attention alone. */
const SHARES: readonly (readonly [NumberName, string])[] = [
  ["entropy", "entropy"],
  ["confidence", "largest weight"],
  ["topMass", "mass of 4 keys"],
  ["sparsity", "Gini"],
  ["bandMass", "band ±1"],
  ["firstToken", "first key"],
];
const SELF: readonly (readonly [NumberName, string])[] = [
  ["selfMass", "self"],
  ["previousToken", "previous"],
  ["duplicate", "duplicate"],
  ["induction", "induction"],
];
const UNIT = [0, 1] as const;

/** The statistics of every head: of one layer where one is chosen, else of all. A step is a row of a head. */
function* statisticsTable(
  trace: Trace,
  options: PictureOptions,
): Generator<undefined, StatisticsData, undefined> {
  const layers =
    options.layer === undefined ? trace.layers : [chooseLayer("statistics", trace, options.layer)];
  const isSelf = (layer: TraceLayer) => layer.alignQ === layer.alignK;
  const shares = layers.some(isSelf) ? [...SHARES, ...SELF] : SHARES;
  const rows: StatisticsData["rows"][number][] = [];
  for (const layer of layers) {
    const map = layerMap(layer);
    const tokens = isSelf(layer) ? trace.tokens[layer.alignQ] : undefined;
    for (let h = 0; h < layer.H; h++) {
      const found = yield* headStatisticsSteps(map, h, tokens && { tokens });
      const values = [...shares.map(([key]) => found[key]), found.distance, found.diagonality];
      rows.push({ name: `${layer.name}, head ${h}`, values });
    }
  }
  const columns = [
    ...shares.map(([, name]) => ({ name, domain: UNIT })),
    { name: "distance" },
    { name: "diagonality", domain: [-1, 1] as const },
  ];
  // A column that no head has a number for says nothing.
  const kept = columns.flatMap((_, c) => (rows.some(({ values }) => Number.isFinite(values[c])) ? [c] : []));
  return {
    columns: kept.map((c) => columns[c]!),
    rows: rows.map(({ name, values }) => ({ name, values: kept.map((c) => values[c]!) })),
  };
}

/** Numbers in columns, one head a line; so many measures as fit. */
function textTable(trace: Trace, options: TextOptions): string {
  const { columns, rows } = finished(statisticsTable(trace, options));
  const ellipsis = options.unicode ? "…" : "~";
  const printed = rows.map(({ name }) => (options.unicode ? visible(name) : ascii(name)));
  const first = Math.min(LONGEST_NAME, Math.max(...printed.map(displayWidth)));
  const names = printed.map((name) => fitColumns(name, first, "left", ellipsis));
  let room = options.columns - first;
  const kept = columns.flatMap(({ name }, c) => {
    room -= Math.max(name.length, 6) + 2;
    return c === 0 || room >= 0 ? [{ name: options.unicode ? name : name.replace("±", "+-"), c }] : [];
  });
  const cell = (text: string, name: string) => `  ${text.padStart(Math.max(name.length, 6))}`;
  const number = (value: number) => (Number.isFinite(value) ? value.toFixed(3) : "-");
  return [
    " ".repeat(first) + kept.map(({ name }) => cell(name, name)).join(""),
    ...rows.map(
      ({ values }, n) => names[n]! + kept.map(({ name, c }) => cell(number(values[c]!), name)).join(""),
    ),
  ].join("\n");
}

function* picture(trace: Trace, options: PictureOptions) {
  const { theme, width, title = titled(trace, "what each head does") } = options;
  return statistics(yield* statisticsTable(trace, options), {
    title,
    note: "Means over the queries; shares from 0 to 1, distance in tokens, diagonality from −1 to 1. Masked keys do not count.",
    ...(theme && { theme }),
    ...(width !== undefined && { width }),
  });
}

/** What each head does, in numbers. */
export const statisticsView: ViewRecord<"statistics"> = {
  name: "statistics",
  label: "Statistics",
  title: "What each head does",
  caption: "What each head does: entropy, reach, first key, diagonal.",
  needs: ["layers"],
  chooses: ["width"],
  svg: (trace, options) => finished(picture(trace, options)),
  steps: picture,
  text: textTable,
  page({ layers }, _, draw) {
    const weights = layers.reduce((sum, { H, T, S }) => sum + H * T * S, 0);
    return weights > MOST_ON_PAGE
      ? []
      : [{ caption: statisticsView.caption, svg: draw({ layer: undefined, width: WIDTH_ON_PAGE }) }];
  },
};
