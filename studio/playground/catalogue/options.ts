/** What code gives to mechanisms as plain numbers and truths: what a page can turn into controls. */
import type { AnyNode, Program } from "acorn";
import { childrenOf } from "../../script/parse.ts";
import type { CodeOption } from "../code/protocol.ts";
import { isMechanism } from "./scope.ts";

/** These ask for more answers, and change none. */
const ASKING = new Set(["weights", "lse", "trace", "filters", "potentials"]);
/** More controls than this are no help. */
const MOST = 12;

/** A literal number or truth, with its sign; undefined for anything else. */
function literalOf(node: AnyNode): number | boolean | undefined {
  if (node.type === "Literal" && (typeof node.value === "number" || typeof node.value === "boolean"))
    return node.value;
  if (node.type !== "UnaryExpression" || node.operator !== "-") return undefined;
  const value = literalOf(node.argument);
  return typeof value === "number" ? -value : undefined;
}

/** What a program's constants begin with, by name. */
function constantsOf(program: Program): Map<string, AnyNode> {
  const declared = program.body.flatMap((one) =>
    one.type === "VariableDeclaration" ? one.declarations : [],
  );
  return new Map(
    declared.flatMap(({ id, init }) => (id.type === "Identifier" && init ? [[id.name, init]] : [])),
  );
}

/**
 * The options of a program's calls of mechanisms, in the order in which they are written, those that stand in a constant among
 * them; and constants that are numbers.
 */
export function optionsOf(program: Program): CodeOption[] {
  const found: CodeOption[] = [];
  const constants = constantsOf(program);
  for (const [name, node] of constants) if (node.type !== "ObjectExpression") read(found, name, node, name);
  const visit = (node: AnyNode): void => {
    if (
      node.type === "CallExpression" &&
      node.callee.type === "Identifier" &&
      isMechanism(node.callee.name)
    ) {
      const { name } = node.callee;
      for (const [n, argument] of node.arguments.entries()) {
        const constant = argument.type === "Identifier" ? constants.get(argument.name) : undefined;
        if (constant?.type === "ObjectExpression") read(found, "", constant, name);
        else read(found, `${name} · ${n + 1}`, argument, name);
      }
    }
    for (const child of childrenOf(node)) visit(child as AnyNode);
  };
  visit(program);
  const once = new Map(found.map((option) => [option.start, option]));
  return [...once.values()].sort((a, b) => a.start - b.start).slice(0, MOST);
}

/** A literal, or those among the properties of an object; `label` is the literal's own, `owner` the properties' beginning. */
function read(found: CodeOption[], label: string, node: AnyNode, owner: string): void {
  const value = literalOf(node);
  if (value !== undefined) found.push({ label, value, start: node.start, end: node.end });
  if (node.type !== "ObjectExpression") return;
  for (const part of node.properties) {
    if (part.type !== "Property" || part.computed || part.key.type !== "Identifier") continue;
    const { name } = part.key;
    if (!ASKING.has(name)) read(found, `${owner} · ${name}`, part.value as AnyNode, `${owner} · ${name}`);
  }
}
