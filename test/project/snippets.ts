/**
 * Runs the code of documents: `@example` blocks in docstrings. Names come from a scope; imports are resolved by
 * the caller; `expression; // value` (the comment may have the next line for itself) and `console.log(expression); // value` are checked when the comment is a
 * JavaScript value; one that begins like a value and is none is an error. Numbers are compared as precisely as the
 * comment writes them.
 */
import { isDeepStrictEqual } from "node:util";
import { parseAst, transformWithOxc } from "vite";

export type Scope = Record<string, unknown>;

interface Node {
  type: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

/** The `@example` blocks of a source file, with the line on which each begins. */
export function exampleBlocks(source: string): { line: number; code: string }[] {
  const blocks: { line: number; code: string }[] = [];
  for (const comment of source.matchAll(/^[ \t]*\/\*\*[\s\S]*?\*\//gm)) {
    for (const example of comment[0].matchAll(/@example\b([\s\S]*?)(?=^\s*\*\s*@\w|\*\/)/gm)) {
      const code = example[1]!
        .split("\n")
        .map((line) => line.replace(/^\s*\*? ?/, ""))
        .filter((line) => !line.startsWith("```"))
        .join("\n")
        .trim();
      const before = source.slice(0, comment.index + example.index);
      blocks.push({ line: before.split("\n").length, code });
    }
  }
  return blocks;
}

/** Runs a block; throws what it throws, or an error that says which comment was wrong. Gives the number of comments checked. */
export async function runSnippet(
  code: string,
  scope: Scope,
  load: (specifier: string) => Promise<Scope>,
): Promise<number> {
  const program = parseAst(code, { lang: "ts" }) as unknown as { body: Node[] };
  const names: Scope = { ...scope };
  const edits: { start: number; end: number; text: string }[] = [];
  for (const node of program.body.filter(({ type }) => type === "ImportDeclaration")) {
    await bindImport(node, names, load);
    edits.push({ start: node.start, end: node.end, text: "" });
  }
  let checked = 0;
  for (const node of statements(program.body)) {
    const comment = /^;?[ \t]*\n?[ \t]*\/\/ ?(.*)/.exec(code.slice(node.end))?.[1];
    if (comment === undefined) continue;
    const expected = writtenValue(comment);
    if (!expected) continue;
    const expression = printed(node.expression as Node);
    const text = code.slice(expression.start, expression.end);
    edits.push({ start: node.start, end: node.end, text: `$check((${text}), ${JSON.stringify(comment)});` });
    checked++;
  }
  let body = code;
  for (const { start, end, text } of edits.sort((a, b) => b.start - a.start)) {
    body = body.slice(0, start) + text + body.slice(end);
  }
  names.$check = check;
  const wrapped = await transformWithOxc(`async () => {\n${body}\n}`, "snippet.ts");
  const make = new Function(...Object.keys(names), `return (${wrapped.code.trim().replace(/;$/, "")})`);
  await make(...Object.values(names))();
  return checked;
}

function check(actual: unknown, comment: string): void {
  const expected = writtenValue(comment)!.value;
  const decimals = Math.max(0, ...[...comment.matchAll(/\d\.(\d+)/g)].map((match) => match[1]!.length));
  const value = plain(actual);
  if (same(value, expected, decimals)) return;
  throw new Error(`the comment says ${comment}, the code gives ${JSON.stringify(value) ?? String(value)}`);
}

function same(actual: unknown, expected: unknown, decimals: number): boolean {
  if (typeof actual === "number" && typeof expected === "number") {
    if (Object.is(actual, expected) || actual === expected) return true;
    const rounding = Math.max(decimals > 0 ? 0.5000001 * 10 ** -decimals : 0, 1e-12 * Math.abs(expected));
    return Math.abs(actual - expected) <= rounding;
  }
  if (Array.isArray(actual) && Array.isArray(expected)) {
    return (
      actual.length === expected.length && actual.every((item, at) => same(item, expected[at], decimals))
    );
  }
  if (isRecord(actual) && isRecord(expected)) {
    const [own, other] = [Object.keys(actual), Object.keys(expected)];
    return own.length === other.length && other.every((key) => same(actual[key], expected[key], decimals));
  }
  return isDeepStrictEqual(actual, expected);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype;
}

/** Typed arrays and tensors as arrays, at any depth of plain objects; everything else as it is. */
function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Float32Array);
  if (value !== null && typeof value === "object" && "arraySync" in value) {
    return (value as { arraySync: () => unknown }).arraySync();
  }
  if (Array.isArray(value)) return value.map(plain);
  if (isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

/** How a value begins, and no prose: `// 12, the sum` would look checked and not be. */
const VALUE =
  /^([-+]?(\d|Infinity\b)|["'`{]|\[[\s[{]*([-+\d"'`\]]|true|false|null)|(true|false|null|undefined|NaN)\b)/;

/** The value that a comment writes down, `// [1, 2]`; undefined when the comment is prose. */
function writtenValue(comment: string): { value: unknown } | undefined {
  const text = comment.replace(/^→\s*/, "").replace(/^\w+Array(\(\d+\))? (?=\[)/, "");
  try {
    return { value: new Function(`"use strict"; return (${text})`)() };
  } catch {
    if (!VALUE.test(text)) return undefined;
    throw new Error(`the comment begins like a value and is none, got ${comment}; write the value alone`);
  }
}

/** What is printed, for `console.log(x)`; the expression itself otherwise. */
function printed(expression: Node): Node {
  const callee = expression.callee as Node | undefined;
  const args = expression.arguments as Node[] | undefined;
  const isLog =
    callee?.type === "MemberExpression" &&
    (callee.object as Node & { name?: string }).name === "console" &&
    (callee.property as Node & { name?: string }).name === "log";
  return isLog && args?.length === 1 ? args[0]! : expression;
}

function* statements(nodes: readonly unknown[]): Generator<Node> {
  for (const node of nodes) {
    if (node === null || typeof node !== "object") continue;
    if ((node as Node).type === "ExpressionStatement") yield node as Node;
    yield* statements(Object.values(node));
  }
}

async function bindImport(
  node: Node,
  names: Scope,
  load: (specifier: string) => Promise<Scope>,
): Promise<void> {
  const module = await load((node.source as { value: string }).value);
  for (const specifier of (node.specifiers as Node[]) ?? []) {
    const local = (specifier.local as { name: string }).name;
    if (specifier.type === "ImportNamespaceSpecifier") names[local] = module;
    else {
      const imported =
        specifier.type === "ImportDefaultSpecifier"
          ? "default"
          : (specifier.imported as { name: string }).name;
      if (!(imported in module))
        throw new Error(`${(node.source as { value: string }).value} has no ${imported}`);
      names[local] = module[imported];
    }
  }
}
