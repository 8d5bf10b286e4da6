/**
 * Additive attention on typed arrays, forward and backward, without TensorFlow.js:
 *
 *     out[b,i] = Σ_j softmax_j(score(b,i,j)) value[b,j],    score = Σ_a v_a tanh(query[b,i,a] + key[b,j,a])
 *     lse[b,i] = ln Σ_j e^score(b,i,j)                      and what the options add
 *
 * `query` and `key` are projected already: W₂q and W₁k + b in the paper. Shapes, all row-major: query [B, T, A], key
 * [B, S, A], v [A], value [B, S, Dv] → output [B, T, Dv], lse [B, T]. The options and their meaning are those of
 * `compileProgram` for one head: a mask's `true` lets a query attend, a row that sees no key gives 0 and lse −∞,
 * causality with T ≠ S names its corner, a window counts keys on each side of the query's own. What is hidden is never
 * read, or selected away: a NaN there changes nothing.
 * Cost: B·T·S·A divisions, twice that backward; memory O((T + S)·(A + Dv)), never T·S·A; T·S for `weights`, `bias` and
 * `allow` alone. Float32Array runs on WebAssembly kernels, one thread, each tanh right to 2⁻²² absolutely; Float64Array
 * on the reference. The first call compiles the kernels.
 * Paper: Bahdanau, Cho & Bengio 2014, §3.1 and A.1.2, arxiv.org/abs/1409.0473.
 */

import type { HostArray } from "../core/notation.ts";
import { compileProgram, type HostProgram, type ProgramOptions } from "../core/program.ts";
import { checkObject, checkOptionTypes, checkSaved } from "./arguments.ts";
import { checkElements, checkKinds, checkLetters } from "./check.ts";
import type { FloatArray } from "./layout.ts";
import { referenceAdditiveAttention, referenceAdditiveGradients } from "./reference-additive.ts";
import { type AdditiveCotangents, AdditiveEngine, type AdditiveFloats } from "./wasm/additive-engine.ts";
import { hasRelaxedSimd } from "./wasm/load.ts";
import { allowRelaxedSimd } from "./wasm/relaxed.ts";

export interface AdditiveSizes {
  readonly B: number;
  readonly T: number;
  readonly S: number;
  /** Hidden units. */
  readonly A: number;
  readonly Dv: number;
}

export interface AdditiveAttentionOptions extends Omit<ProgramOptions<HostArray>, "scale" | "sink"> {
  /** A logit that takes part in the softmax and has no value. @default none */
  sink?: number;
  /** Returns the weights too, B·T·S more numbers, before dropout and without the sink's share. @default false */
  weights?: boolean;
}

const NAMES = { weights: true } as const;

/** What the backward pass needs. It refers to the arrays of the call, so leave them as they are until then. */
export interface SavedAdditive<A extends FloatArray = FloatArray> {
  readonly program: HostProgram;
  readonly query: A;
  readonly key: A;
  readonly v: A;
  readonly value: A;
  readonly lse: A;
}

export interface AdditiveOutput<A extends FloatArray> {
  output: A;
  lse: A;
  weights?: A;
  saved: SavedAdditive<A>;
}

export interface AdditiveGradientArrays<A extends FloatArray> {
  dquery: A;
  dkey: A;
  dv: A;
  dvalue: A;
  /** In the shape of `bias`, summed over the axes on which it is repeated; where there is a bias. */
  dbias?: A;
  /** One number; where there is a sink. */
  dsink?: A;
}

const OP = "additiveAttention";

let engine: AdditiveEngine | undefined;

function ready(): AdditiveEngine {
  if (!engine) {
    allowRelaxedSimd();
    engine = new AdditiveEngine(hasRelaxedSimd() ? "relaxed" : "plain");
  }
  return engine;
}

const AXES = {
  query: ["B", "T", "A"],
  key: ["B", "S", "A"],
  v: ["A"],
  value: ["B", "S", "Dv"],
  dout: ["B", "T", "Dv"],
  dlse: ["B", "T"],
  dweights: ["B", "T", "S"],
} as const;

function checkSizes(op: string, sizes: AdditiveSizes): void {
  checkObject(op, "sizes", sizes, "name the sizes B, T, S, A and Dv");
  const remedy = "name the sizes of query [B, T, A], key [B, S, A] and value [B, S, Dv]";
  checkLetters(op, "sizes", sizes, ["B", "T", "S", "A", "Dv"], remedy);
}

function checkArrays(
  op: string,
  sizes: AdditiveSizes,
  arrays: Partial<Record<keyof typeof AXES, FloatArray | undefined>>,
): void {
  const given = Object.entries(arrays);
  checkKinds(op, given.map(([name]) => name).join(", "), Object.values(arrays));
  for (const [name, array] of given) {
    const axes = AXES[name as keyof typeof AXES];
    const shape = axes.map((axis) => sizes[axis]);
    checkElements(op, name, axes.join("·"), shape, array!.length);
  }
}

/** `[B, T, S]` as the program of one head has it, [B, 1, T, S]. */
function withHead(array: HostArray | undefined): HostArray | undefined {
  if (array?.shape.length !== 3) return array;
  const [B, T, S] = array.shape as [number, number, number];
  return { ...array, shape: [B, 1, T, S] };
}

function compile({ B, T, S, A, Dv }: AdditiveSizes, options: AdditiveAttentionOptions): HostProgram {
  const { bias, allow } = options;
  for (const [name, array] of Object.entries({ bias, allow })) {
    if (!array) continue;
    checkElements(OP, name, `[${array.shape.join(", ")}]`, array.shape, array.values.length);
  }
  const shapes = { B, T, S, H: 1, Hkv: 1, D: A, Dv };
  const masks = { ...(bias && { bias: withHead(bias)! }), ...(allow && { allow: withHead(allow)! }) };
  return compileProgram(OP, shapes, { ...options, ...masks, scale: 1 }, NAMES);
}

/**
 * Additive attention of query over key and value.
 *
 * @throws ShapeError SHAPE and those of compileProgram · OptionError OPTION, DTYPE, EMPTY_ROW and
 *   those of compileProgram · MemoryError MEMORY
 * @example
 * const sizes = { B: 1, T: 1, S: 2, A: 1, Dv: 1 };
 * const [query, key, v, value] = [[0], [1, -1], [0], [4, 8]].map((x) => Float32Array.from(x));
 * const { output, saved } = additiveAttention(query, key, v, value, sizes);
 * output[0]; // 6
 * additiveAttentionBackward({ dout: Float32Array.of(1) }, saved).dvalue[1]; // 0.5
 */
export function additiveAttention<A extends FloatArray>(
  query: A,
  key: A,
  v: A,
  value: A,
  sizes: AdditiveSizes,
  options: AdditiveAttentionOptions & { weights: true },
): Required<AdditiveOutput<A>>;
export function additiveAttention<A extends FloatArray>(
  query: A,
  key: A,
  v: A,
  value: A,
  sizes: AdditiveSizes,
  options?: AdditiveAttentionOptions,
): AdditiveOutput<A>;
export function additiveAttention(
  query: FloatArray,
  key: FloatArray,
  v: FloatArray,
  value: FloatArray,
  sizes: AdditiveSizes,
  options: AdditiveAttentionOptions = {},
): AdditiveOutput<FloatArray> {
  checkSizes(OP, sizes);
  const inputs = { query, key, v, value };
  checkArrays(OP, sizes, inputs);
  checkOptionTypes(OP, options);
  const program = compile(sizes, options);
  const { weights: wantWeights = false } = options;
  const { output, lse, weights } =
    query instanceof Float32Array
      ? ready().forward(program, inputs as AdditiveFloats, wantWeights)
      : referenceAdditiveAttention(program, inputs);
  const saved = { program, ...inputs, lse };
  return wantWeights ? { output, lse, weights: weights!, saved } : { output, lse, saved };
}

/**
 * The gradients of Σ dout·output + Σ dlse·lse + Σ dweights·weights for the call that gave `saved`. The same inputs give
 * the same bits.
 *
 * @throws ShapeError SHAPE · OptionError OPTION, DTYPE · MemoryError MEMORY
 */
export function additiveAttentionBackward<A extends FloatArray>(
  cotangents: AdditiveCotangents<A>,
  saved: SavedAdditive<A>,
): AdditiveGradientArrays<A>;
export function additiveAttentionBackward(
  cotangents: AdditiveCotangents<FloatArray>,
  saved: SavedAdditive,
): AdditiveGradientArrays<FloatArray> {
  const op = "additiveAttentionBackward";
  checkObject(op, "cotangents", cotangents, "pass { dout }");
  checkSaved(op, saved, ["query", "key", "v", "value", "lse"], "query");
  const { dout, dlse, dweights } = cotangents;
  const { program, query, key, v, value, lse } = saved;
  const { B, T, S, D, Dv } = program.shapes;
  const inputs = { query, key, v, value };
  const given = { dout, ...(dlse && { dlse }), ...(dweights && { dweights }) };
  checkArrays(op, { B, T, S, A: D, Dv }, { ...inputs, ...given });
  return query instanceof Float32Array
    ? ready().backward(
        program,
        inputs as AdditiveFloats,
        lse as Float32Array,
        given as AdditiveCotangents<Float32Array>,
      )
    : referenceAdditiveGradients(program, inputs, given);
}
