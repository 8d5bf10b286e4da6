/**
 * Attention on typed arrays, forward and backward, without TensorFlow.js:
 *
 *     out[b,h,i] = Σ_j softmax_j(score(b,h,i,j)) v[b,g,j],    score = scale · q[b,h,i]·k[b,g,j] and what the options add
 *     lse[b,h,i] = ln Σ_j e^score(b,h,i,j),                   g = ⌊h·Hkv/H⌋
 *
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv], lse [B, H, T]. With
 * `layout: "bthd"` heads come after positions, q [B, T, H, D] and so on. With `layout: "thd"` B sequences are packed
 * one after another: q [T, H, D], T and S count the rows of all of them, `queryLengths` and `keyLengths` say how many
 * each has, a sequence attends to itself alone, and lse is [H, T]. No layout is copied into another.
 * The options and their meaning are those of `compileProgram`: a mask's `true` lets a query attend, a row that sees
 * no key gives 0 and lse −∞, causality with T ≠ S names its corner, a window counts keys on each side of the query's
 * own. What is hidden is never read, or selected away: no bit of a row's output depends on it, be it NaN or large.
 * A score of +∞, of a bias or of a product beyond float32's range, takes all the mass of its row, in equal shares with
 * its like; one of −∞ hides its key; a visible NaN makes its row NaN and no other. In float64 too.
 * `scoreMod` and `maskMod` are traced once a call and compiled to WebAssembly, which the kernels call once a tile; threads
 * compile it too, from its bytes. Gradients of the `tensors` that they read are `dtensors`, by name.
 * Cost: 4·T·S·D flops a head, 10·T·S·D backward, less what masks empty by whole blocks; memory O(T·D), never T·S.
 * Float32Array runs on WebAssembly kernels, to about 1e-6, on as many threads as `init` was given; Float64Array on
 * the reference. The same inputs give the same bits on any number of threads: a row of output is computed by one
 * thread, and a gradient that sums over queries or keys is summed in an order that the shapes alone decide.
 * The kernels' memory holds the heads in work, grows to what the largest call needed and is kept: 1.5 KB a token and
 * head forward and 4.5 KB backward at D = 64, so its 4 GiB end at about 2.8 and 0.9 million tokens of one head.
 * Paper: Vaswani et al. 2017, §3.2.1; computed in blocks as in Dao et al. 2022, Rabe & Staats 2021.
 */
import type { HostProgram } from "../core/program.ts";
import { checkSaved } from "./arguments.ts";
import { checkArrays, compileCall } from "./check.ts";
import { readyEngine } from "./init.ts";
import type { AttentionOptions, AttentionSizes, FloatArray, Layout } from "./layout.ts";
import { referenceCall, referenceCallGradients } from "./reference-layouts.ts";
import { headFlops } from "./wasm/attention/heads.ts";
import type { EmptyRow } from "./wasm/attention/uniform.ts";

export type { AttentionOptions, AttentionSizes, FloatArray } from "./layout.ts";

/** What the backward pass needs. It refers to the arrays of the call, so leave them as they are until then. */
export interface SavedAttention<A extends FloatArray = FloatArray> {
  readonly program: HostProgram;
  readonly layout: Layout;
  readonly q: A;
  readonly k: A;
  readonly v: A;
  readonly output: A;
  readonly lse: A;
  /** What rounding to float32 took from lse, so that weights made from it again are as good as the scores. */
  readonly lseLow: A;
  /** Rows that see no key and have weights all the same. */
  readonly emptyRows: readonly EmptyRow[];
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
  /** Of the floating-point tensors that `scoreMod` reads, by name and in their shapes. */
  dtensors?: Record<string, A>;
}

const OP = "attention";

/**
 * Attention of q over k and v.
 *
 * @throws ShapeError SHAPE, HEADS and those of compileProgram · OptionError OPTION, DTYPE, NOT_READY, EMPTY_ROW
 *   and those of compileProgram · MemoryError MEMORY · WorkerError WORKER, FAULT
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
  const { program, layout } = compileCall(OP, sizes, options);
  checkArrays(OP, program, layout, { q, k, v });
  if (!(q instanceof Float32Array)) {
    const result = referenceCall(program, layout, {
      q: q as Float64Array,
      k: k as Float64Array,
      v: v as Float64Array,
    });
    const { output, lse, weights } = result;
    const saved = {
      program,
      layout,
      q,
      k,
      v,
      output,
      lse,
      lseLow: new Float64Array(lse.length),
      emptyRows: [],
    };
    return options.weights ? { output, lse, weights, saved } : { output, lse, saved };
  }
  const inputs = { q, k: k as Float32Array, v: v as Float32Array };
  const { D, Dv } = program.shapes;
  const engine = readyEngine(OP, headFlops(program, 2 * (D + Dv)));
  const forward = engine.forward(program, inputs, layout);
  const { output, lse } = forward;
  const saved = { program, layout, ...inputs, ...forward };
  return options.weights
    ? { output, lse, weights: engine.weights(program, inputs, forward, layout), saved }
    : { output, lse, saved };
}

/**
 * The gradients of Σ dout·output + Σ dlse·lse for the call that gave `saved`, in the same layout; keys and values that
 * several query heads share get the sum of their gradients.
 *
 * @throws ShapeError SHAPE · OptionError OPTION, DTYPE, NOT_READY · MemoryError MEMORY · WorkerError WORKER, FAULT
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
  checkSaved(op, saved, ["q", "k", "v", "output", "lse", "lseLow"], "q");
  const { program, layout, q, k, v } = saved;
  checkArrays(op, program, layout, dlse ? { q, k, v, dout, dlse } : { q, k, v, dout });
  const all =
    q instanceof Float32Array
      ? readyEngine(op, headFlops(program, 6 * program.shapes.D + 4 * program.shapes.Dv)).backward(
          program,
          { q, k: k as Float32Array, v: v as Float32Array },
          saved as SavedAttention<Float32Array>,
          dout as Float32Array,
          dlse as Float32Array | undefined,
          layout,
        )
      : referenceCallGradients(
          program,
          layout,
          { q: q as Float64Array, k: k as Float64Array, v: v as Float64Array },
          dout as Float64Array,
          dlse as Float64Array | undefined,
        );
  const { dq, dk, dv, dbias, dsink, dtensors } = all;
  return {
    ...{ dq, dk, dv, ...(dbias && { dbias }), ...(dsink && { dsink }) },
    ...(program.modification && { dtensors: { ...dtensors } }),
  };
}
