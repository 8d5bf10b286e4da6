import {
  type HeadStatistics,
  headStatistics,
  layerMap,
  type Trace,
  type TraceLayer,
} from "../inspect/index.ts";
import { type Measure, measures } from "../viz/index.ts";
import { chooseLayer, needLayers, titled } from "./layers.ts";
import type { DrawOptions } from "./options.ts";

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

/** One row of `statisticsTable`. */
export interface StatisticsRow {
  readonly name: string;
  readonly values: readonly number[];
}

/** The statistics of every head: of one layer where one is chosen, else of all. */
export function statisticsTable(
  op: string,
  trace: Trace,
  options: DrawOptions,
): { readonly columns: readonly Measure[]; readonly rows: readonly StatisticsRow[] } {
  const layers =
    options.layer === undefined
      ? needLayers(op, "statistics", trace)
      : [chooseLayer(op, "statistics", trace, options.layer)];
  const isSelf = (layer: TraceLayer) => layer.alignQ === layer.alignK;
  const shares = layers.some(isSelf) ? [...SHARES, ...SELF] : SHARES;
  const rows = layers.flatMap((layer) => {
    const map = layerMap(layer);
    const tokens = isSelf(layer) ? trace.tokens[layer.alignQ] : undefined;
    return Array.from({ length: layer.H }, (_, h) => {
      const found = headStatistics(map, h, tokens && { tokens });
      const values = [...shares.map(([key]) => found[key]), found.distance, found.diagonality];
      return { name: `${layer.name}, head ${h}`, values };
    });
  });
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

/** What each head does, in numbers. */
export function statisticsView(op: string, trace: Trace, options: DrawOptions): string {
  return measures(statisticsTable(op, trace, options), {
    title: options.title ?? titled(trace, "what each head does"),
    note: "Means over the queries; shares from 0 to 1, distance in tokens, diagonality from −1 to 1. Masked keys do not count.",
    ...(options.theme && { theme: options.theme }),
  });
}
