/** What a call on typed arrays must be, checked before anything is written. */

import { checkOptionNames, type OptionNames } from "../core/check-options.ts";
import { checkCorners } from "../core/corners.ts";
import { OptionError, ShapeError } from "../core/errors.ts";
import { notAChoice, unevenHeads, wrongCount } from "../core/faults.ts";
import {
  compileModified,
  MODIFICATION_OPTION_NAMES,
  type ModifiedOptions,
} from "../core/modified-program.ts";
import { type AttentionShapes, size } from "../core/notation.ts";
import { type HostProgram, PROGRAM_OPTION_NAMES } from "../core/program.ts";
import { checkObject, checkOptionTypes, described } from "./arguments.ts";
import {
  type AttentionOptions,
  type AttentionSizes,
  callLayout,
  type FloatArray,
  LAYOUTS,
  type Layout,
} from "./layout.ts";

/**
 * The sizes of a call with their defaults.
 *
 * @throws ShapeError SHAPE, HEADS
 */
export function checkShapes(op: string, sizes: AttentionSizes): AttentionShapes {
  checkObject(op, "sizes", sizes, "name the sizes B, H, T, S and D");
  const { H, D, Hkv = H, Dv = D } = sizes;
  const shapes = { ...sizes, Hkv, Dv };
  const remedy = "name the sizes of q [B, H, T, D], k [B, Hkv, S, D] and v [B, Hkv, S, Dv]";
  checkLetters(op, "shape", shapes, ["B", "H", "Hkv", "T", "S", "D", "Dv"], remedy);
  if (H % Hkv !== 0) throw new ShapeError("HEADS", unevenHeads({ op, H, Hkv }));
  return shapes;
}

/** @throws ShapeError SHAPE unless these are integers ≥ 1, or ≥ 0 for T and S */
export function checkLetters<L extends string>(
  op: string,
  name: string,
  sizes: Readonly<Record<L, number>>,
  letters: readonly L[],
  remedy: string,
): void {
  for (const letter of letters) {
    const least = letter === "T" || letter === "S" ? 0 : 1;
    const got = sizes[letter];
    if (Number.isSafeInteger(got) && got >= least) continue;
    const rule = `${name}.${letter} must be an integer ≥ ${least}`;
    throw new ShapeError("SHAPE", { op, letter, least, rule, got: described(got), remedy });
  }
}

const NAMES: OptionNames<Omit<AttentionOptions, keyof ModifiedOptions>> = { layout: true, weights: true };

/**
 * The program of a call and its layout.
 *
 * @throws ShapeError SHAPE, HEADS · OptionError OPTION · those of compileProgram
 */
export function compileCall(
  op: string,
  sizes: AttentionSizes,
  options: AttentionOptions,
): { program: HostProgram; layout: Layout } {
  const given = checkShapes(op, sizes);
  checkOptionTypes(op, options);
  checkOptionNames(op, options, PROGRAM_OPTION_NAMES, MODIFICATION_OPTION_NAMES, NAMES);
  const { layout = "bhtd" } = options;
  if (!LAYOUTS.includes(layout)) {
    const choices = LAYOUTS.map((name) => `"${name}"`);
    throw new OptionError("OPTION", notAChoice({ op, name: "layout", choices, got: layout }));
  }
  const program = compileModified(op, layout === "thd" ? longest(op, given, options) : given, options);
  const sink = typeof options.sink === "object" ? options.sink : undefined;
  for (const [name, array] of Object.entries({
    ...options.tensors,
    bias: options.bias,
    allow: options.allow,
    sink,
  })) {
    if (!array) continue;
    checkElements(op, name, `[${array.shape.join(", ")}]`, array.shape, array.values.length);
  }
  return { program, layout };
}

/** Packed sequences as a program sees them: one example each, T and S those of the longest. */
function longest(op: string, shapes: AttentionShapes, options: AttentionOptions): AttentionShapes {
  const { B } = shapes;
  const lengths = (name: "queryLengths" | "keyLengths", letter: "T" | "S") => {
    const got = Array.from(options[name] ?? []);
    const sound = got.length === B && got.every((n) => Number.isSafeInteger(n) && n >= 0);
    if (!sound || got.reduce((sum, n) => sum + n, 0) !== shapes[letter]) {
      throw new OptionError("OPTION", {
        op,
        name,
        rule: `with layout: "thd" ${name} must be B=${B} integers ≥ 0 that add up to ${letter}=${shapes[letter]}`,
        got: `[${got.join(", ")}]`,
        remedy: `give the number of rows of each packed sequence, and their total as ${letter}`,
      });
    }
    return got;
  };
  const [queries, keys] = [lengths("queryLengths", "T"), lengths("keyLengths", "S")];
  checkCorners(op, options, queries, keys);
  const most = (lengths: number[]) => lengths.reduce((a, b) => Math.max(a, b), 0);
  return { ...shapes, T: most(queries), S: most(keys) };
}

const PRODUCTS = {
  q: ["B·H·T·D", "queries", "D"],
  k: ["B·Hkv·S·D", "keys", "D"],
  v: ["B·Hkv·S·Dv", "keys", "Dv"],
  dout: ["B·H·T·Dv", "queries", "Dv"],
  dlse: ["B·H·T", "queries", undefined],
} as const;

/** @throws OptionError DTYPE · ShapeError SHAPE */
export function checkArrays(
  op: string,
  program: HostProgram,
  layout: Layout,
  arrays: Partial<Record<keyof typeof PRODUCTS, FloatArray>>,
): void {
  checkKinds(op, "q, k, v and dout", Object.values(arrays));
  checkCounts(op, program, layout, arrays);
}

/** @throws ShapeError SHAPE unless each array holds as many numbers as its shape says */
export function checkCounts(
  op: string,
  { shapes, queryLengths, keyLengths }: HostProgram,
  layout: Layout,
  arrays: Partial<Record<keyof typeof PRODUCTS, ArrayLike<number>>>,
): void {
  const rows = callLayout(layout, shapes, queryLengths, keyLengths);
  for (const [name, array] of Object.entries(arrays)) {
    const [letters, kind, width] = PRODUCTS[name as keyof typeof PRODUCTS];
    const packed = layout === "thd" ? letters.replace("B·", "") : letters;
    checkElements(op, name, packed, [rows[kind].rows(shapes.B), width ? shapes[width] : 1], array.length);
  }
}

/** @throws OptionError DTYPE unless all are float32, or all are float64 */
export function checkKinds(op: string, names: string, arrays: readonly unknown[]): void {
  const kinds = arrays.map(described);
  if (/^Float(32|64)Array$/.test(kinds[0] ?? "") && new Set(kinds).size === 1) return;
  throw new OptionError("DTYPE", {
    op,
    rule: `${names} must be all Float32Array or all Float64Array`,
    got: kinds.join(", "),
    remedy: "convert them",
  });
}

/** @throws ShapeError SHAPE */
export function checkElements(
  op: string,
  name: string,
  letters: string,
  shape: readonly number[],
  got: number,
) {
  const expected = size(shape);
  if (got !== expected) throw new ShapeError("SHAPE", wrongCount({ op, name, letters, expected, got }));
}
