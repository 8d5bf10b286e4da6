import { Call, type Expression, Lambda, Name, type Program } from "./call.ts";

/** Longer than this a list, an object or a call goes on over several lines. */
const WIDTH = 96;

/**
 * A program as the text of an ECMAScript module that runs in Node and in bundlers.
 *
 * @example
 * printProgram({ constants: [], result: call("hardmax", named("x")), shows: { weights: "weights" } });
 */
export function printProgram(program: Program): string {
  const { constants, result, shows } = program;
  return [
    'import "heed/backend";',
    'import * as tf from "@tensorflow/tfjs-core";',
    printImport(importsOf(program)),
    "",
    'await tf.setBackend("heed");',
    "",
    ...constants.map(([name, value]) => `const ${name} = ${print(value, `const ${name} = `.length)};`),
    `const result = ${print(result, 15)};`,
    "",
    ...Object.values(shows).map((path) => `result.${path}.print();`),
    "",
  ].join("\n");
}

/** What a program takes from heed, in the order of the alphabet. */
export function importsOf({ constants, result }: Program): string[] {
  const names = new Set<string>();
  for (const [, value] of constants) collect(value, names);
  collect(result, names);
  const imports = [...names].map((name) => name.split(".")[0]!).filter((name) => name !== "tf");
  return [...new Set(imports)].sort();
}

export function printImport(names: readonly string[]): string {
  const line = `import { ${names.join(", ")} } from "heed";`;
  return line.length <= WIDTH
    ? line
    : `import {\n${names.map((name) => `  ${name},\n`).join("")}} from "heed";`;
}

function collect(expression: Expression | undefined, names: Set<string>): void {
  if (expression instanceof Call) {
    names.add(expression.name);
    for (const arg of expression.args) collect(arg, names);
  } else if (expression instanceof Lambda) collect(expression.body, names);
  else if (!(expression instanceof Name) && typeof expression === "object")
    for (const value of Object.values(expression)) collect(value as Expression, names);
}

/** An expression that begins in this column of a line indented by `indent`. */
export function print(expression: Expression, column = 0, indent = 0): string {
  const flat = printFlat(expression);
  if (column + flat.length <= WIDTH) return flat;
  const [open, items, close] = parts(expression);
  if (items.length === 0) return flat;
  // A single argument stays on the line of its call: `f({` … `})`.
  if (expression instanceof Call && items.length === 1)
    return `${open}${print(items[0]![1], column + open.length, indent)}${close}`;
  const pad = " ".repeat(indent + 2);
  if (Array.isArray(expression) && expression.every((item) => typeof item === "number"))
    return `[\n${filled(expression as readonly number[], pad)}${" ".repeat(indent)}]`;
  const lines = items.map(
    ([name, value]) => `${pad}${name}${print(value, indent + 2 + name.length, indent + 2)},\n`,
  );
  return `${open}\n${lines.join("")}${" ".repeat(indent)}${close}`;
}

/** Numbers, as many a line as fit. */
function filled(numbers: readonly number[], pad: string): string {
  let text = "";
  let line = pad;
  for (const number of numbers) {
    if (line.length + `${number}, `.length > WIDTH) {
      text += `${line.trimEnd()}\n`;
      line = pad;
    }
    line += `${number}, `;
  }
  return `${text}${line.trimEnd()}\n`;
}

type Item = readonly [prefix: string, value: Expression];

function parts(expression: Expression): readonly [open: string, items: readonly Item[], close: string] {
  const plain = (values: readonly Expression[]): Item[] => values.map((value) => ["", value]);
  if (expression instanceof Call) return [`${expression.name}(`, plain(expression.args), ")"];
  if (Array.isArray(expression)) return ["[", plain(expression), "]"];
  if (expression instanceof Name || expression instanceof Lambda || typeof expression !== "object")
    return ["", [], ""];
  return ["{", entries(expression).map(([key, value]): Item => [`${key}: `, value]), "}"];
}

function entries(object: object): [string, Expression][] {
  return Object.entries(object).filter((entry): entry is [string, Expression] => entry[1] !== undefined);
}

function printFlat(expression: Expression): string {
  if (typeof expression === "string") return JSON.stringify(expression);
  if (typeof expression === "number" || typeof expression === "boolean") return String(expression);
  if (expression instanceof Name) return expression.text;
  if (expression instanceof Lambda) return `(${expression.parameter}) => ${printFlat(expression.body)}`;
  if (expression instanceof Call) return `${expression.name}(${expression.args.map(printFlat).join(", ")})`;
  if (Array.isArray(expression)) return `[${expression.map(printFlat).join(", ")}]`;
  const fields = entries(expression).map(([key, value]) =>
    value instanceof Name && value.text === key ? key : `${key}: ${printFlat(value)}`,
  );
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
