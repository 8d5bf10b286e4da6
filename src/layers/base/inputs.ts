import { ShapeError } from "../../core/errors.ts";

/** A shape of TensorFlow.js' layers; null is a size that is not known yet. */
export type Shape = (number | null)[];

/** One input of a layer. */
export interface LayerInput {
  readonly name: string;
  /** The letters of its axes, "[B, T, C]"; "…" stands for any number of them. Equal letters are equal sizes. */
  readonly letters: string;
  /** May be left out, with all that follow it. @default false */
  readonly optional?: boolean;
}

/** Sizes by letter, those that are known. */
export type Sizes = Readonly<Record<string, number>>;

const show = (shape: readonly unknown[]) => `[${shape.map(String).join(", ")}]`;
const title = ({ name, letters }: LayerInput) => `${name} ${letters}`;

/** The letters of the axes before and after "…", or all of them as the first. */
function axesOf(letters: string): [string[], string[] | undefined] {
  const [first, last] = letters
    .slice(1, -1)
    .split("…")
    .map((part) =>
      part
        .split(",")
        .map((letter) => letter.trim())
        .filter(Boolean),
    );
  return [first!, last];
}

/** How the inputs of a layer are written: `query [B, T, C], value [B, S, C] and, if you like, key [B, S, C]`. */
export function describeInputs(inputs: readonly LayerInput[]): string {
  return `[${inputs.map((input) => `${title(input)}${input.optional ? "?" : ""}`).join(", ")}]`;
}

/**
 * Checks shapes against the letters of a layer's inputs.
 *
 * @returns the sizes by letter
 * @throws ShapeError SHAPE when there are too few or too many inputs, one has another rank, or sizes that share a letter differ
 */
export function sizesOf(op: string, inputs: readonly LayerInput[], shapes: readonly Shape[]): Sizes {
  const least = inputs.filter(({ optional }) => !optional).length;
  if (shapes.length < least || shapes.length > inputs.length) {
    throw new ShapeError("SHAPE", {
      op,
      rule: `its inputs must be ${describeInputs(inputs)}`,
      got: `${shapes.length} of them`,
      remedy: "apply it to a list in that order",
    });
  }
  const seen = new Map<string, { size: number; at: number }>();
  shapes.forEach((shape, at) => {
    const input = inputs[at]!;
    const [first, last] = axesOf(input.letters);
    const rank = first.length + (last?.length ?? 0);
    if (last ? shape.length < rank : shape.length !== rank) {
      throw new ShapeError("SHAPE", {
        op,
        rule: `${title(input)} must have rank ${rank}${last ? " or more" : ""}`,
        got: `shape ${show(shape)}`,
        remedy: "reshape it first",
      });
    }
    const axes = [
      ...first.map((letter, axis) => [letter, shape[axis]] as const),
      ...(last ?? []).map((letter, axis) => [letter, shape[shape.length - last!.length + axis]] as const),
    ];
    for (const [letter, size] of axes) {
      if (size === null || size === undefined) continue;
      const before = seen.get(letter);
      if (before && before.size !== size) {
        throw new ShapeError("SHAPE", {
          op,
          rule: `${title(inputs[before.at]!)} and ${title(input)} must have the same ${letter}`,
          got: `shapes ${show(shapes[before.at]!)} and ${show(shape)}`,
          remedy: `make their ${letter} equal`,
        });
      }
      seen.set(letter, before ?? { size, at });
    }
  });
  return Object.fromEntries([...seen].map(([letter, { size }]) => [letter, size]));
}
