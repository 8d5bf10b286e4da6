import { described } from "../trace/fault.ts";
import { refuse } from "./fault.ts";

const DEEPEST = 5;
const REMEDY = "save lists of lists of numbers, all rows alike";

/** Lists of lists of numbers, rectangular, as one array. Room is made only when all of them are found alike. */
export function flatten(place: string, nested: unknown): { shape: number[]; values: Float32Array } {
  const shape: number[] = [];
  for (let list = nested; Array.isArray(list) || ArrayBuffer.isView(list); list = (list as unknown[])[0]) {
    shape.push((list as unknown[]).length);
    if (shape.length > DEEPEST) refuse(place, `nest at most ${DEEPEST} deep`, "more", REMEDY);
    if (shape.at(-1) === 0) refuse(place, "hold numbers", "an empty list", REMEDY);
  }
  if (shape.length === 0) refuse(place, "be lists of numbers", described(nested), REMEDY);
  checkLike(place, nested, shape, 0);
  const values = new Float32Array(shape.reduce((product, n) => product * n, 1));
  fill(nested as List, shape.length, values, 0);
  return { shape, values };
}

type List = readonly unknown[];

function checkLike(place: string, list: unknown, shape: readonly number[], depth: number): void {
  const isList = Array.isArray(list) || ArrayBuffer.isView(list);
  if (!isList || (list as List).length !== shape[depth]) {
    const got = isList ? `a list of ${(list as List).length}` : described(list);
    refuse(`${place}, ${depth} deep,`, `have lists of ${shape[depth]}`, got, REMEDY);
  }
  for (const part of list as List) {
    if (depth + 1 < shape.length) checkLike(place, part, shape, depth + 1);
    else if (typeof part !== "number") refuse(place, "hold numbers alone", described(part), REMEDY);
  }
}

function fill(list: List, depth: number, values: Float32Array, at: number): number {
  if (depth === 1) {
    values.set(list as readonly number[], at);
    return at + list.length;
  }
  return list.reduce<number>((end, part) => fill(part as List, depth - 1, values, end), at);
}
