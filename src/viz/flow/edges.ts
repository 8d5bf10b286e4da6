import { type AnyCells, VALUE } from "../../inspect/cells.ts";
import { topColumns } from "../describe.ts";

/** One line of a flow: output t reads input s with this weight. */
export interface Edge {
  readonly t: number;
  readonly s: number;
  readonly weight: number;
}

/**
 * Which edges are drawn. `threshold`: those above it. `mass`: of each output the strongest, until they hold this
 * share of its weight.
 */
export type EdgeChoice = { readonly threshold: number } | { readonly mass: number };

export interface ChosenEdges {
  /** The weakest first, so that the strongest are drawn on top. */
  readonly edges: readonly Edge[];
  /** How many edges have a weight at all. */
  readonly all: number;
  /** The share of all weight that the chosen ones hold, 0 … 1. */
  readonly mass: number;
}

/** The edges to draw, at most `most` of them: the strongest. */
export function chooseEdges(matrix: AnyCells, choice: EdgeChoice, most: number): ChosenEdges {
  const found: Edge[] = [];
  let all = 0;
  let total = 0;
  for (let t = 0; t < matrix.rows; t++) {
    const row = topColumns(matrix, t, matrix.columns).filter(({ weight }) => weight > 0);
    const sum = row.reduce((held, { weight }) => held + weight, 0);
    all += row.length;
    total += sum;
    const kept =
      "threshold" in choice
        ? row.filter(({ weight }) => weight > choice.threshold)
        : heaviest(row, choice.mass * sum);
    found.push(...kept.map(({ column, weight }) => ({ t, s: column, weight })));
  }
  const edges = found.sort((a, b) => b.weight - a.weight || a.t - b.t || a.s - b.s).slice(0, most);
  const held = edges.reduce((sum, { weight }) => sum + weight, 0);
  return { edges: edges.reverse(), all, mass: total > 0 ? held / total : 0 };
}

/** The strongest of a row, until they hold `wanted`. */
function heaviest<C extends { weight: number }>(row: readonly C[], wanted: number): C[] {
  let held = 0;
  const enough = row.findIndex(({ weight }) => {
    held += weight;
    return held >= wanted * (1 - 1e-9);
  });
  return row.slice(0, enough + 1);
}

/** Whether any cell of a row is a weight above 1, which no line can show by its opacity. */
export function hasWeightAboveOne({ values, kinds }: AnyCells): boolean {
  return values.some((value, cell) => kinds[cell] === VALUE && value > 1);
}
