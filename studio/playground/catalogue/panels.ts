import { Tensor } from "@tensorflow/tfjs-core";

/** A matrix of numbers, as a picture shows it. */
export type Panel = readonly (readonly number[])[];

/** Larger pictures say no more, and take long to send. */
export const MOST_PANELS = 12;
export const MOST_CELLS = 96;

/**
 * What a script's answer shows: a matrix, or one for each entry of the first axis. Tensors, lists of tensors and lists of numbers
 * are all taken.
 *
 * @throws RangeError for what is too large, or no numbers
 */
export function panelsOf(value: unknown): Panel[] {
  const panels =
    Array.isArray(value) && value.some((one) => one instanceof Tensor)
      ? value.flatMap((one) => nestedPanels(numbersOf(one)))
      : nestedPanels(numbersOf(value));
  if (panels.length > MOST_PANELS)
    throw new RangeError(`There are ${panels.length} pictures; at most ${MOST_PANELS} are shown.`);
  for (const { length, 0: row } of panels)
    if (length > MOST_CELLS || row!.length > MOST_CELLS)
      throw new RangeError(
        `A picture may have ${MOST_CELLS} × ${MOST_CELLS} cells, and this one has ${length} × ${row!.length}.`,
      );
  return panels;
}

type Nested = number | Nested[];

function numbersOf(value: unknown): Nested {
  if (value instanceof Tensor) return numbersOf(value.arraySync());
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "number") return value;
  if (Array.isArray(value)) return value.map(numbersOf);
  throw new RangeError("The code must return a tensor, or numbers in lists.");
}

/** Axes of length 1 say nothing, except that a row is one. */
function squeezed(value: Nested): Nested {
  if (!Array.isArray(value)) return value;
  return value.length === 1 ? squeezed(value[0]!) : value.map(squeezed);
}

function depthOf(value: Nested): number {
  return Array.isArray(value) ? 1 + (value.length === 0 ? 0 : depthOf(value[0]!)) : 0;
}

function nestedPanels(value: Nested): Panel[] {
  const depth = depthOf(value);
  const small = depth > 2 ? squeezedTo(value) : value;
  const rank = depthOf(small);
  if (rank === 0) return [[[small as number]]];
  if (rank === 1) return [[small as number[]]];
  if (rank === 2) return [small as number[][]];
  if (rank === 3) return small as number[][][];
  throw new RangeError(`The code must return matrices, and this has ${rank} axes longer than 1.`);
}

/** Drops axes of length 1 from the front, then all, until three are left. */
function squeezedTo(value: Nested): Nested {
  let left = value;
  while (depthOf(left) > 2 && Array.isArray(left) && left.length === 1) left = left[0]!;
  return depthOf(left) > 3 ? squeezed(left) : lastDropped(left);
}

/** [n, m, 1] as [n, m]. */
function lastDropped(value: Nested): Nested {
  if (depthOf(value) !== 3) return value;
  const isLone = (value as number[][][]).every((rows) => rows.every((cells) => cells.length === 1));
  return isLone ? (value as number[][][]).map((rows) => rows.map(([x]) => x!)) : value;
}
