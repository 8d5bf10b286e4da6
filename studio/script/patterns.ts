/** Lists, objects and what takes them apart. */
import type * as acorn from "acorn";
import { memberOf } from "./members.ts";
import type { Scope } from "./scope.ts";

/** More elements than any picture has. */
const MOST_ELEMENTS = 1_000_000;

type Evaluate = (node: acorn.AnyNode) => unknown;

/** @throws RangeError for more than a million elements */
export function bounded<X>(list: X[]): X[] {
  if (list.length > MOST_ELEMENTS) throw new RangeError(`a list may have ${MOST_ELEMENTS} elements`);
  return list;
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  const isIterator = typeof (value as { next?: unknown } | null | undefined)?.next === "function";
  if (isIterator || ArrayBuffer.isView(value)) return bounded([...(value as Iterable<unknown>)]);
  throw new TypeError("only lists can be spread or taken apart with [ ]");
}

/** The values of `[a, ...b]` or of arguments. */
export function elements(nodes: readonly (acorn.AnyNode | null)[], of: Evaluate): unknown[] {
  const values: unknown[] = [];
  for (const node of nodes) {
    if (!node) values.push(undefined);
    else if (node.type === "SpreadElement") for (const value of listOf(of(node.argument))) values.push(value);
    else values.push(of(node));
    bounded(values);
  }
  return values;
}

/** The value of `{ a, b: c, ...d }`. */
export function properties(nodes: readonly acorn.AnyNode[], of: Evaluate): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  for (const node of nodes) {
    if (node.type === "SpreadElement") {
      for (const entry of Object.entries(of(node.argument) as object)) entries.push(entry);
    } else if (node.type === "Property" && node.kind === "init" && !node.method) {
      entries.push([keyOf(node, of), of(node.value)]);
    } else throw new TypeError("methods and getters are not offered here; write arrows");
  }
  // Own members whatever their names: even __proto__ is only a name here.
  return Object.fromEntries(entries);
}

function keyOf({ key, computed }: acorn.Property | acorn.AssignmentProperty, of: Evaluate): string {
  if (computed) return String(of(key));
  return key.type === "Identifier" ? key.name : String((key as acorn.Literal).value);
}

/** Declares the names of a pattern with the parts of a value. */
export function bind(
  pattern: acorn.AnyNode,
  value: unknown,
  scope: Scope,
  isConstant: boolean,
  of: Evaluate,
): void {
  const inner = (part: acorn.AnyNode, given: unknown) => bind(part, given, scope, isConstant, of);
  if (pattern.type === "Identifier") scope.declare(pattern.name, value, isConstant);
  else if (pattern.type === "AssignmentPattern")
    inner(pattern.left, value === undefined ? of(pattern.right) : value);
  else if (pattern.type === "ArrayPattern") {
    const list = listOf(value);
    for (const [n, part] of pattern.elements.entries()) {
      if (part?.type === "RestElement") inner(part.argument, list.slice(n));
      else if (part) inner(part, list[n]);
    }
  } else if (pattern.type === "ObjectPattern") {
    for (const part of pattern.properties) {
      if (part.type === "RestElement") throw new TypeError("...rest of an object is not offered here");
      inner(part.value, memberOf(value, keyOf(part, of)));
    }
  } else throw new TypeError("this pattern is not offered here");
}
