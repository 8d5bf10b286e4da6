import type { Trace } from "../inspect/index.ts";
import {
  ascii,
  displayWidth,
  fitColumns,
  type TerminalCapabilities,
  type TerminalFormat,
  terminalFlow,
  terminalGrid,
  terminalHeatmap,
  visible,
} from "../viz/index.ts";
import { smallMaps } from "./grid.ts";
import { axesOf, weighedHead } from "./heatmap.ts";
import {
  type ChosenHead,
  chooseHead,
  headData,
  needLayers,
  titled,
  titleOf,
  unpooledData,
} from "./layers.ts";
import { type DrawOptions, refuse, type View } from "./options.ts";
import { rolledOut } from "./rollout.ts";
import { statisticsTable } from "./statistics.ts";

/** The views that a terminal can show. */
export const TERMINAL_VIEWS = ["heatmap", "flow", "grid", "statistics", "rollout"] as const satisfies View[];

/** What the terminal can do, as `terminalCapabilities` finds it, and how it is to be used. */
export interface ShowOptions extends DrawOptions, Omit<TerminalCapabilities, "isTTY"> {
  readonly isTTY?: boolean;
  /** @default "map" in a terminal, else "text" */
  readonly format?: TerminalFormat;
}

/** A terminal shows no more; maps are pooled while they are read where they are larger. */
const MOST_CELLS = 2048;
const LONGEST_NAME = 24;

/**
 * A trace in a terminal: one string, lines joined by "\n".
 *
 * Views: `heatmap` and `rollout` with the whole chain from 24-bit colour down to plain text, `flow` as a list with bars,
 * `grid` as small maps, `statistics` as a table. Pure; no token can reach the terminal as a control.
 *
 * @throws OptionError VIEW · what the view's drawing throws
 * @example
 * const attn = traceTensor([1, 1, 2], [0.25, 0.75]);
 * const tokens = { src: ["I", "am"], tgt: ["suis"] };
 * const trace = createTrace({ tokens, layers: [{ alignQ: "tgt", alignK: "src", attn }] });
 * showTrace(trace, { depth: 1, unicode: true, columns: 80, format: "text" }).split("\n")[1]; // "suis: am 0.75, I 0.25"
 */
export function showTrace(trace: Trace, options: ShowOptions): string {
  return showView("showTrace", trace, options);
}

/** `showTrace` under the name that errors are to give. */
export function showView(op: string, trace: Trace, options: ShowOptions): string {
  const { view = "heatmap", depth, unicode, columns, palette } = options;
  switch (view) {
    case "heatmap": {
      const { title, ...chosen } = weighedHead(op, trace, options);
      return map(trace, chosen, { ...options, title });
    }
    case "rollout": {
      const { layer, map: rolled, shown } = rolledOut(op, trace, options);
      const title = options.title ?? titled(trace, shown);
      return map(trace, { layer, head: 0, map: rolled }, { ...options, title });
    }
    case "flow": {
      const chosen = chooseHead(op, view, trace, options);
      const title = options.title ?? titleOf(trace, chosen);
      return terminalFlow(unpooledData(op, view, trace, chosen), { unicode, columns, title });
    }
    case "grid": {
      const maps = needLayers(op, view, trace).map((layer) => smallMaps(layer, options));
      const title = options.title ?? titled(trace, "every head of every layer");
      return terminalGrid(maps, { depth, unicode, columns, title, ...(palette && { palette }) });
    }
    case "statistics":
      return table(op, trace, options);
    default: {
      const rule = `be one of ${TERMINAL_VIEWS.join(", ")} in a terminal`;
      return refuse(op, "view", rule, view, "draw it as a picture: heed svg, drawTrace");
    }
  }
}

function map(trace: Trace, chosen: ChosenHead, options: ShowOptions): string {
  const { data, note, isOfShares } = headData(trace, chosen, MOST_CELLS);
  const { depth, unicode, columns, isTTY, format, palette, colorScale, onWarning } = options;
  const drawn = terminalHeatmap(data, {
    ...{ depth, unicode, columns, title: options.title ?? titleOf(trace, chosen), ...axesOf(chosen.layer) },
    ...(isTTY !== undefined && { isTTY }),
    ...(format && { format }),
    ...(palette && { palette }),
    ...(colorScale && { colorScale }),
    ...(options.valueNorms && { domain: "data" as const }),
    ...(onWarning && isOfShares && { onWarning }),
  });
  return note ? `${drawn}\nbefore that: ${unicode ? note : note.replaceAll("×", "x")}` : drawn;
}

/** Numbers in columns, one head a line; so many measures as fit. */
function table(op: string, trace: Trace, options: ShowOptions): string {
  const { columns, rows } = statisticsTable(op, trace, options);
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
