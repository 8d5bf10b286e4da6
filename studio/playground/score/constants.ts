/** The numbers at the top of a text, which sliders change. */
import type { AnyNode, Program } from "acorn";
import type { Constant } from "./protocol.ts";

/** What a literal, or a literal with a sign, is. */
function numberOf(node: AnyNode | null | undefined): number | undefined {
  if (node?.type === "Literal" && typeof node.value === "number") return node.value;
  if (node?.type !== "UnaryExpression" || node.operator !== "-") return undefined;
  const value = numberOf(node.argument);
  return value === undefined ? undefined : -value;
}

/** `// 0.5 to 10` behind it on its line, or a range around the number. */
function rangeOf(text: string, end: number, value: number): Pick<Constant, "least" | "most" | "step"> {
  const rest = text.slice(end, (text.indexOf("\n", end) + 1 || text.length + 1) - 1);
  const [, from, to] = /\/\/\s*(-?[\d.]+) to (-?[\d.]+)/.exec(rest) ?? [];
  const isWhole = Number.isInteger(value) && !(from?.includes(".") || to?.includes("."));
  const [least, most] =
    from !== undefined && Number(from) < Number(to)
      ? [Number(from), Number(to)]
      : [Math.min(0, 2 * value), Math.max(isWhole ? 8 : 1, 2 * value)];
  const step = isWhole ? 1 : 10 ** Math.floor(Math.log10((most - least) / 40));
  return { least: Math.min(least, value), most: Math.max(most, value), step };
}

/** `const cap = 2;` of the top of a program, in their order. */
export function constantsOf(text: string, program: Program): Constant[] {
  return program.body.flatMap((statement) => {
    if (statement.type !== "VariableDeclaration") return [];
    return statement.declarations.flatMap(({ id, init }) => {
      const value = numberOf(init);
      if (value === undefined || id.type !== "Identifier") return [];
      const { start, end } = init!;
      return [{ name: id.name, value, start, end, ...rangeOf(text, end, value) }];
    });
  });
}
