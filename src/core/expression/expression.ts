import type { ArrayInfo } from "../notation.ts";
import { inOrder, type Node, type Nodes } from "./nodes.ts";

/** A traced function: its value, and the tensors that it captured, by name. */
export interface Expression {
  readonly nodes: Nodes;
  readonly root: Node;
  readonly tensors: Readonly<Record<string, ArrayInfo>>;
}

/** The distances, in elements, of neighbours along each axis of an array, row-major. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let distance = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = distance;
    distance *= shape[axis]!;
  }
  return strides;
}

/** The gathers that roots read, each once. */
export function gathersOf(roots: readonly Node[]): Node[] {
  return inOrder(roots).filter(({ op }) => op === "gather");
}

/** A text that two expressions share exactly if they are the same computation, shapes of tensors left out. */
export function keyOf(roots: readonly Node[]): string {
  const order = inOrder(roots);
  const place = new Map(order.map((node, n) => [node, n]));
  const lines = order.map(({ op, kind, value, name, args }) => {
    const number = Object.is(value, -0) ? "-0" : value;
    return `${op},${kind},${number},${name},${args.map((arg) => place.get(arg)).join(",")}`;
  });
  return `${lines.join(";")}>${roots.map((root) => place.get(root)).join(",")}`;
}
