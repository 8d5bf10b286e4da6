import type { Trace } from "../inspect/index.ts";
import { gates, heatmap } from "../viz/index.ts";
import { titled } from "./layers.ts";
import { refuse } from "./named.ts";
import type { ViewRecord } from "./view.ts";

/**
 * What one gate lets through: bars for [C], a strip for [T, C], a map for [height, width]. An axis that is as long as just one
 * axis of tokens has their names.
 */
export const gatesView: ViewRecord<"gates"> = {
  name: "gates",
  label: "Gates",
  title: "Gates",
  caption: "A gate's openings, channel by channel.",
  needs: ["gates"],
  chooses: [],
  svg(trace, options) {
    const names = Object.keys(trace.gates);
    const name = options.gate ?? names[0]!;
    if (!Object.hasOwn(trace.gates, name)) {
      const quoted = names.slice(0, 8).map((known) => JSON.stringify(known.slice(0, 60)));
      refuse("gate", `be one of ${quoted.join(", ")}`, JSON.stringify(name.slice(0, 60)), "correct it");
    }
    const gate = trace.gates[name]!;
    const values = gate.slice();
    const more = names.length > 1 ? ` (${names.indexOf(name) + 1} of ${names.length} gates)` : "";
    const { palette, theme, title = titled(trace, `gate ${name}${more}`) } = options;
    const look = { title, ...(theme && { theme }) };
    if (gate.shape.length === 1) {
      const names = namesOf(trace, values.length);
      return gates({ gate: values, ...(names && { names }) }, { ...look, ...(names && { unit: "token" }) });
    }
    const [rows, columns] = gate.shape as [number, number];
    const { grid } = trace;
    const isMap = grid !== undefined && grid.height === rows && grid.width === columns;
    const isUnit = values.every((value) => value >= 0 && value <= 1);
    const [rowTokens, columnTokens] = isMap ? [] : [namesOf(trace, rows), namesOf(trace, columns)];
    return heatmap(
      {
        weights: values,
        rowTokens: rowTokens ?? numbers(rows),
        columnTokens: columnTokens ?? numbers(columns),
      },
      {
        ...look,
        xTitle: isMap ? "column" : columnTokens ? "token" : "channel",
        yTitle: isMap ? "row" : "position",
        value: "gate",
        domain: isUnit ? "unit" : "data",
        ...(palette && { palette }),
      },
    );
  },
  page: (trace, { gate }, draw) =>
    (gate === undefined ? Object.keys(trace.gates) : [gate]).map((name) => ({
      caption: `The gate ${name}: what it lets through.`,
      svg: draw({ gate: name }),
    })),
};

const numbers = (n: number) => Array.from({ length: n }, (_, at) => String(at));

/** The tokens of an axis, where just one axis of the trace has as many. */
function namesOf({ tokens }: Trace, length: number): readonly string[] | undefined {
  const fitting = Object.values(tokens).filter((names) => names.length === length);
  return fitting.length === 1 ? fitting[0] : undefined;
}
