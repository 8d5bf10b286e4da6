import type { Trace } from "../inspect/index.ts";
import { gateBars, heatmap } from "../viz/index.ts";
import { held, titled } from "./layers.ts";
import { type DrawOptions, refuse } from "./options.ts";

/** What one gate lets through: bars for [C], a strip for [T, C], a map for [height, width]. */
export function gatesView(op: string, trace: Trace, options: DrawOptions): string {
  const names = Object.keys(trace.gates);
  if (names.length === 0) {
    const rule = "have a gate: gate.name";
    refuse(op, "a trace for the view gates", rule, held(trace), "capture one, or choose another view");
  }
  const name = options.gate ?? names[0]!;
  if (!Object.hasOwn(trace.gates, name)) {
    const rule = `be one of ${names
      .slice(0, 8)
      .map((known) => JSON.stringify(known.slice(0, 60)))
      .join(", ")}`;
    refuse(op, "gate", rule, JSON.stringify(name.slice(0, 60)), "correct it");
  }
  const gate = trace.gates[name]!;
  const values = gate.slice();
  const { palette, theme } = options;
  const more = names.length > 1 ? ` (${names.indexOf(name) + 1} of ${names.length} gates)` : "";
  const title = options.title ?? titled(trace, `gate ${name}${more}`);
  const look = { title, ...(theme && { theme }) };
  if (gate.shape.length === 1) return gateBars({ gate: values }, look);
  const [rows, columns] = gate.shape as [number, number];
  const { grid } = trace;
  const isMap = grid !== undefined && grid.height === rows && grid.width === columns;
  const isUnit = values.every((value) => value >= 0 && value <= 1);
  return heatmap(
    { weights: values, rowTokens: namesOf(trace, rows, isMap), columnTokens: numbers(columns) },
    {
      ...look,
      ...(isMap ? { xTitle: "column", yTitle: "row" } : { xTitle: "channel", yTitle: "position" }),
      ...{ value: "gate", domain: isUnit ? ("unit" as const) : ("data" as const) },
      ...(palette && { palette }),
    },
  );
}

const numbers = (n: number) => Array.from({ length: n }, (_, at) => String(at));

/** The tokens of a strip's positions, where just one axis of the trace has as many. */
function namesOf(trace: Trace, rows: number, isMap: boolean): readonly string[] {
  const fitting = isMap ? [] : Object.values(trace.tokens).filter(({ length }) => length === rows);
  return fitting.length === 1 ? fitting[0]! : numbers(rows);
}
