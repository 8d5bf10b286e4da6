/**
 * Attention on typed arrays, forward and backward, without TensorFlow.js:
 *
 *     out[b,h,i] = Σ_j softmax_j(score(b,h,i,j)) v[b,g,j],    score = scale · q[b,h,i]·k[b,g,j] and what the options add
 *     lse[b,h,i] = ln Σ_j e^score(b,h,i,j),                   g = ⌊h·Hkv/H⌋
 *
 * Shapes, all row-major: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv], lse [B, H, T].
 * The options and their meaning are those of `compileProgram`: a mask's `true` lets a query attend, a row that sees
 * no key gives 0 and lse −∞, causality with T ≠ S names its corner, a window counts keys on each side of the query's
 * own. What is hidden is never read, or selected away: a NaN there changes nothing.
 * Cost: 4·T·S·D flops a head, 10·T·S·D backward, less what masks empty by whole blocks; memory O(T·D), never T·S.
 * Float32Array runs on WebAssembly kernels, one thread, to about 1e-6; Float64Array on the reference. Their memory
 * holds one group of heads, grows to what the largest call needed and is kept: 1.5 KB a token forward and 4 KB
 * backward at D = 64, so its 4 GiB end at about 2.8 and 1.1 million tokens with one head per group.
 * Paper: Vaswani et al. 2017, §3.2.1; computed in blocks as in Dao et al. 2022, Rabe & Staats 2021.
 */
import { OptionError, ShapeError } from "../core/errors.ts";
import { type AttentionShapes, type HostArray, size } from "../core/notation.ts";
import { compileProgram, type ProgramOptions } from "../core/program.ts";
import { referenceAttention, referenceAttentionGradients } from "./reference.ts";
import { AttentionEngine } from "./wasm/engine.ts";
import { hasRelaxedSimd, type KernelBuild } from "./wasm/load.ts";
import { allowRelaxedSimd } from "./wasm/relaxed.ts";
import type { HostProgram } from "./wasm/stripes.ts";
import { warm } from "./wasm/warm.ts";

export type FloatArray = Float32Array | Float64Array;

/** The sizes of a call; Hkv is H and Dv is D unless given. */
export type AttentionSizes = Omit<AttentionShapes, "Hkv" | "Dv"> &
  Partial<Pick<AttentionShapes, "Hkv" | "Dv">>;

export interface AttentionOptions extends ProgramOptions<HostArray> {
  /** Returns the weights too: B·H·T·S more numbers, before dropout and without the sink's share. @default false */
  weights?: boolean;
}

/** What the backward pass needs. It refers to the arrays of the call, so leave them as they are until then. */
export interface SavedAttention<A extends FloatArray = FloatArray> {
  readonly program: HostProgram;
  readonly q: A;
  readonly k: A;
  readonly v: A;
  readonly output: A;
  readonly lse: A;
  /** Rows that see no key and have weights all the same, as (b · H + h) · T + i. */
  readonly emptyRows: readonly number[];
}

export interface AttentionOutput<A extends FloatArray> {
  output: A;
  lse: A;
  weights?: A;
  saved: SavedAttention<A>;
}

export interface AttentionGradientArrays<A extends FloatArray> {
  dq: A;
  dk: A;
  dv: A;
  /** In the shape of `bias`, summed over the axes on which it is repeated; where there is a bias. */
  dbias?: A;
  /** [H], or one number where the sink is one; where there is a sink. */
  dsink?: A;
}

const OP = "attention";

let engine: AttentionEngine | undefined;

/**
 * Compiles the kernels, with fused multiply-add where the engine has relaxed SIMD, and runs each on a small problem so
 * that the first call finds them optimised. Later calls return at once.
 *
 * @returns the build that was chosen
 * @example
 * await init(); // "relaxed"
 */
export async function init(): Promise<KernelBuild> {
  if (!engine) {
    allowRelaxedSimd();
    engine = new AttentionEngine(hasRelaxedSimd() ? "relaxed" : "plain");
    warm(engine);
  }
  return engine.build;
}

function ready(op: string): AttentionEngine {
  if (!engine) throw new OptionError("NOT_READY", { op });
  return engine;
}

const PRODUCTS = {
  q: ["B·H·T·D", ["B", "H", "T", "D"]],
  k: ["B·Hkv·S·D", ["B", "Hkv", "S", "D"]],
  v: ["B·Hkv·S·Dv", ["B", "Hkv", "S", "Dv"]],
  dout: ["B·H·T·Dv", ["B", "H", "T", "Dv"]],
  dlse: ["B·H·T", ["B", "H", "T"]],
} as const;

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

function checkArrays(
  op: string,
  shapes: AttentionShapes,
  arrays: Partial<Record<keyof typeof PRODUCTS, FloatArray>>,
): void {
  const kinds = Object.values(arrays).map((array) => array?.constructor.name ?? "undefined");
  const isFloat = kinds[0] === "Float32Array" || kinds[0] === "Float64Array";
  if (!isFloat || new Set(kinds).size > 1) throw new OptionError("ARRAY_KIND", { op, got: kinds });
  for (const [name, array] of Object.entries(arrays)) {
    const [letters, axes] = PRODUCTS[name as keyof typeof PRODUCTS];
    checkElements(
      op,
      name,
      letters,
      axes.map((axis) => shapes[axis]),
      array.length,
    );
  }
}

function checkElements(op: string, name: string, letters: string, shape: readonly number[], got: number) {
  const expected = size(shape);
  if (got !== expected) throw new ShapeError("ELEMENTS", { op, name, letters, expected, got });
}

function compile(op: string, shapes: AttentionShapes, options: AttentionOptions): HostProgram {
  const program = compileProgram(op, shapes, options);
  const sink = typeof options.sink === "object" ? options.sink : undefined;
  for (const [name, array] of Object.entries({ bias: options.bias, allow: options.allow, sink })) {
    if (!array) continue;
    checkElements(op, name, `[${array.shape.join(", ")}]`, array.shape, array.values.length);
  }
  return program;
}

/**
 * Attention of q over k and v.
 *
 * @throws ShapeError SHAPE_LETTER, HEADS, ELEMENTS and those of compileProgram · OptionError ARRAY_KIND, NOT_READY,
 *   EMPTY_ROW and those of compileProgram · MemoryError KERNEL_MEMORY
 * @example
 * await init();
 * const [q, k, v] = [Float32Array.of(0), Float32Array.of(1, 2), Float32Array.of(4, 8)];
 * const { output, saved } = attention(q, k, v, { B: 1, H: 1, T: 1, S: 2, D: 1 });
 * output[0]; // 6
 * attentionBackward(Float32Array.of(1), saved).dv[1]; // 0.5
 */
export function attention<A extends FloatArray>(
  q: A,
  k: A,
  v: A,
  sizes: AttentionSizes,
  options: AttentionOptions & { weights: true },
): Required<AttentionOutput<A>>;
export function attention<A extends FloatArray>(
  q: A,
  k: A,
  v: A,
  sizes: AttentionSizes,
  options?: AttentionOptions,
): AttentionOutput<A>;
export function attention(
  q: FloatArray,
  k: FloatArray,
  v: FloatArray,
  sizes: AttentionSizes,
  options: AttentionOptions = {},
): AttentionOutput<FloatArray> {
  const shapes = checkShapes(OP, sizes);
  checkArrays(OP, shapes, { q, k, v });
  const program = compile(OP, shapes, options);
  if (!(q instanceof Float32Array)) {
    const { output, lse, weights } = referenceAttention(program, { q, k, v });
    const saved = { program, q, k, v, output, lse, emptyRows: [] };
    return options.weights ? { output, lse, weights, saved } : { output, lse, saved };
  }
  return runFused(ready(OP), program, { q, k: k as Float32Array, v: v as Float32Array }, options.weights);
}

function runFused(
  fused: AttentionEngine,
  program: HostProgram,
  inputs: { q: Float32Array; k: Float32Array; v: Float32Array },
  wantWeights = false,
): AttentionOutput<Float32Array> {
  const forward = fused.forward(program, inputs);
  const { output, lse } = forward;
  const saved = { program, ...inputs, ...forward };
  return wantWeights
    ? { output, lse, weights: fused.weights(program, inputs, forward), saved }
    : { output, lse, saved };
}

/**
 * The gradients of Σ dout·output + Σ dlse·lse for the call that gave `saved`. The same inputs give the same bits.
 *
 * @throws ShapeError ELEMENTS · OptionError ARRAY_KIND, NOT_READY · MemoryError KERNEL_MEMORY
 */
export function attentionBackward<A extends FloatArray>(
  dout: A,
  saved: SavedAttention<A>,
  dlse?: A,
): AttentionGradientArrays<A>;
export function attentionBackward(
  dout: FloatArray,
  saved: SavedAttention,
  dlse?: FloatArray,
): AttentionGradientArrays<FloatArray> {
  const op = "attentionBackward";
  const { program, q, k, v } = saved;
  checkArrays(op, program.shapes, dlse ? { q, k, v, dout, dlse } : { q, k, v, dout });
  const all =
    q instanceof Float32Array
      ? ready(op).backward(
          program,
          { q, k: k as Float32Array, v: v as Float32Array },
          saved as SavedAttention<Float32Array>,
          dout as Float32Array,
          dlse as Float32Array | undefined,
        )
      : referenceAttentionGradients(program, { q, k, v }, dout, dlse);
  const { dq, dk, dv, dbias, dsink } = all;
  return { dq, dk, dv, ...(dbias && { dbias }), ...(dsink && { dsink }) };
}
