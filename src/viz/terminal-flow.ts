import { cellsOf, type HeatmapData } from "./data.ts";
import { warnings } from "./describe.ts";
import { chooseEdges } from "./flow/edges.ts";
import { positiveInteger } from "./options.ts";
import { ellipsisOf, printable } from "./terminal/page.ts";
import { displayWidth, fitColumns, truncate } from "./width.ts";

export interface TerminalFlowOptions {
  /** Whether block and accented characters can be shown; else the output is pure ASCII. */
  readonly unicode: boolean;
  /** Width of the terminal; no line is wider, but less than 20 is taken for 20. */
  readonly columns: number;
  /** The most inputs that each output names. @default 5 */
  readonly top?: number;
  /** @default none */
  readonly title?: string;
  /** Called with a sentence for each reason to distrust the list. */
  readonly onWarning?: (message: string) => void;
}

const MASS = 0.7;
const LEAST_COLUMNS = 20;
const LONGEST_LABEL = 18;
const LONGEST_BAR = 40;
/** `0.97` and a blank on both sides. */
const NUMBER = 6;

/**
 * Attention flow for a terminal: below each output token the inputs that it reads, the strongest first, each with its
 * weight and a bar. One string, lines joined by "\n".
 *
 * Of each output the inputs are named that hold 70 % of its weight, `top` of them at most; the last line says how much of
 * all weight that is. Tokens cannot reach the terminal as controls. Cost: O(T·S·log S). Pure.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 * @example
 * const data = { weights: [[0.25, 0.75]], rowTokens: ["aime"], columnTokens: ["I", "love"] };
 * terminalFlow(data, { unicode: false, columns: 30 }).split("\n")[1]; // "  love 0.75 ##############"
 */
export function terminalFlow(data: HeatmapData, options: TerminalFlowOptions): string {
  const op = "terminalFlow";
  const matrix = cellsOf(op, data);
  const { unicode, title = "" } = options;
  const columns = Math.max(LEAST_COLUMNS, positiveInteger(op, "columns", options.columns));
  const top = positiveInteger(op, "top", options.top ?? 5);
  for (const warning of warnings(op, matrix, data)) options.onWarning?.(warning);
  const { edges } = chooseEdges(matrix, { mass: MASS }, matrix.values.length);
  const ellipsis = ellipsisOf(options);
  const inputs = data.columnTokens.map((token) => printable(options, token));
  const longest = Math.max(...inputs.map(displayWidth));
  const labelWidth = Math.min(longest, LONGEST_LABEL, Math.floor(columns / 3));
  const room = Math.min(LONGEST_BAR, columns - 2 - labelWidth - NUMBER);
  let [shown, held] = [0, 0];
  const lines = data.rowTokens.flatMap((token, t) => {
    const strongest = edges
      .filter((edge) => edge.t === t)
      .reverse()
      .slice(0, top);
    const bars = strongest.map(({ s, weight }) => {
      shown++;
      held += weight;
      const bar = (unicode ? "█" : "#").repeat(Math.round(Math.min(1, weight) * room));
      const line = `  ${fitColumns(inputs[s]!, labelWidth, "right", ellipsis)} ${weight.toFixed(2)} ${bar}`;
      return truncate(line.trimEnd(), columns, ellipsis);
    });
    const name = truncate(printable(options, token), columns, ellipsis);
    return [name, ...(bars.length > 0 ? bars : ["  nothing to attend to"])];
  });
  let all = 0;
  for (const weight of matrix.values) all += Math.max(0, weight);
  const share = Math.round((100 * held) / (all || 1));
  const note = `${shown} of ${matrix.values.length} weights, ${share} % of all`;
  const head = title === "" ? [] : [truncate(printable(options, title), columns, ellipsis), ""];
  return [...head, ...lines, "", truncate(note, columns, ellipsis)].join("\n");
}
