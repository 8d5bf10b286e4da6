/** What a call on typed arrays must be, checked before anything is written. */
import { OptionError, ShapeError } from "../core/errors.ts";
import { type AttentionShapes, size } from "../core/notation.ts";
import { compileProgram, type HostProgram } from "../core/program.ts";
import type { AttentionOptions, AttentionSizes, FloatArray } from "./attention.ts";
import { callLayout, LAYOUTS, type Layout } from "./layout.ts";

function checkShapes(op: string, sizes: AttentionSizes): AttentionShapes {
  const { H, D, Hkv = H, Dv = D } = sizes;
  const shapes = { ...sizes, Hkv, Dv };
  for (const letter of ["B", "H", "Hkv", "T", "S", "D", "Dv"] as const) {
    const least = letter === "T" || letter === "S" ? 0 : 1;
    const got = shapes[letter];
    if (!(Number.isSafeInteger(got) && got >= least)) {
      throw new ShapeError("SHAPE_LETTER", { op, letter, least, got });
    }
  }
  if (H % Hkv !== 0) throw new ShapeError("HEADS", { op, H, Hkv });
  return shapes;
}

/**
 * The program of a call and its layout.
 *
 * @throws ShapeError SHAPE_LETTER, HEADS, ELEMENTS · OptionError CHOICE, PACKED_LENGTHS · those of compileProgram
 */
export function compileCall(
  op: string,
  sizes: AttentionSizes,
  options: AttentionOptions,
): { program: HostProgram; layout: Layout } {
  const given = checkShapes(op, sizes);
  const { layout = "bhtd" } = options;
  if (!LAYOUTS.includes(layout)) {
    const choices = LAYOUTS.map((name) => `"${name}"`);
    throw new OptionError("CHOICE", { op, name: "layout", choices, got: layout });
  }
  const program = compileProgram(op, layout === "thd" ? longest(op, given, options) : given, options);
  const sink = typeof options.sink === "object" ? options.sink : undefined;
  for (const [name, array] of Object.entries({ bias: options.bias, allow: options.allow, sink })) {
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
      throw new OptionError("PACKED_LENGTHS", { op, name, B, letter, total: shapes[letter], got });
    }
    return got;
  };
  const [queries, keys] = [lengths("queryLengths", "T"), lengths("keyLengths", "S")];
  const { causal, window, queryOffset } = options;
  const b = queries.findIndex((n, at) => n !== keys[at]);
  if (b >= 0 && queryOffset === undefined && typeof causal !== "string") {
    const [T, S] = [queries[b]!, keys[b]!];
    if (causal) throw new OptionError("CAUSAL_CORNER", { op, T, S });
    const { left = Infinity, right = Infinity } = window ?? {};
    if (left !== Infinity || right !== Infinity) throw new OptionError("WINDOW_CORNER", { op, T, S });
  }
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

/** @throws OptionError ARRAY_KIND · ShapeError ELEMENTS */
export function checkArrays(
  op: string,
  { shapes, queryLengths, keyLengths }: HostProgram,
  layout: Layout,
  arrays: Partial<Record<keyof typeof PRODUCTS, FloatArray>>,
): void {
  const kinds = Object.values(arrays).map((array) => array?.constructor.name ?? "undefined");
  const isFloat = kinds[0] === "Float32Array" || kinds[0] === "Float64Array";
  if (!isFloat || new Set(kinds).size > 1) throw new OptionError("ARRAY_KIND", { op, got: kinds });
  const rows = callLayout(layout, shapes, queryLengths, keyLengths);
  for (const [name, array] of Object.entries(arrays)) {
    const [letters, kind, width] = PRODUCTS[name as keyof typeof PRODUCTS];
    const packed = layout === "thd" ? letters.replace("B·", "") : letters;
    checkElements(op, name, packed, [rows[kind].rows(shapes.B), width ? shapes[width] : 1], array.length);
  }
}

function checkElements(op: string, name: string, letters: string, shape: readonly number[], got: number) {
  const expected = size(shape);
  if (got !== expected) throw new ShapeError("ELEMENTS", { op, name, letters, expected, got });
}
