/** Takes types out of a program: they say nothing to a machine. What stays has the places that it had in the text. */
import type { Node } from "acorn";

/** An expression with a type to it, and the expression alone. */
const AROUND = new Set([
  "TSAsExpression",
  "TSSatisfiesExpression",
  "TSNonNullExpression",
  "TSTypeAssertion",
  "TSInstantiationExpression",
  "TSParenthesizedExpression",
]);
/** Statements that are about types alone. */
const ABOUT = new Set(["TSInterfaceDeclaration", "TSTypeAliasDeclaration"]);
/** What nodes of JavaScript have of types. */
const PARTS = ["typeAnnotation", "returnType", "typeParameters", "typeArguments", "superTypeParameters"];

type Parts = Node & Record<string, unknown>;

const isNode = (x: unknown): x is Parts => typeof (x as Node | null)?.type === "string";

/** Takes the types out of a tree, in place, and returns it. */
export function withoutTypes<N extends Node>(node: N): N {
  const parts = node as unknown as Record<string, unknown>;
  for (const part of PARTS) delete parts[part];
  for (const [name, part] of Object.entries(parts)) {
    if (Array.isArray(part)) {
      const kept: unknown[] = part.filter((one) => !isNode(one) || !saysTypesAlone(one));
      parts[name] = kept.map((one) => (isNode(one) ? withoutTypes(bare(one)) : one));
    } else if (isNode(part)) parts[name] = withoutTypes(bare(part));
  }
  return node;
}

const saysTypesAlone = (node: Parts): boolean => ABOUT.has(node.type) || node.declare === true;

function bare(node: Parts): Parts {
  return AROUND.has(node.type) ? bare(node.expression as Parts) : node;
}
