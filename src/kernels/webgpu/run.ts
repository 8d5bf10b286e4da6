/**
 * Attention on typed arrays by WebGPU, with the options, shapes and meaning of `attention` and `attentionBackward`: what
 * those give, a promise of. In Node it needs the package `webgpu`, in a page a browser with WebGPU.
 *
 *     out[b,h,i] = Σ_j softmax_j(score(b,h,i,j)) v[b,g,j],    lse[b,h,i] = ln Σ_j e^score(b,h,i,j),    g = ⌊h·Hkv/H⌋
 *
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv], lse [B, H, T]; layouts as there.
 * Cost: 4·T·S·D flops a head, 14·T·S·D backward (scores are made anew for dq and for dk, dv), less the tiles of 32 × 32
 * that masks empty; memory O(T·D), never T·S. No atomic sums: the same inputs give the same bits on the same device.
 * Float16 is for storage alone; scores and sums are of float32. Rows without keys, hidden NaN: as there.
 * Paper: Dao et al. 2022, arxiv.org/abs/2205.14135; Dao 2023, arxiv.org/abs/2307.08691.
 */
import { OptionError } from "../../core/errors.ts";
import { emptyRow } from "../../core/faults.ts";
import type { HostProgram } from "../../core/program.ts";
import { checkSaved, described } from "../arguments.ts";
import type { AttentionGradientArrays, AttentionOutput, SavedAttention } from "../attention.ts";
import { checkArrays, checkCounts, compileCall } from "../check.ts";
import { type AttentionOptions, type AttentionSizes, callLayout, type Layout } from "../layout.ts";
import { backwardPasses } from "./backward.ts";
import { type GpuDevice, gpuDevice } from "./device.ts";
import { forwardPasses } from "./forward.ts";
import { learnedOf, tensorValues } from "./modification.ts";
import { type NamedArrays, runPasses } from "./runner.ts";

type Floats = Float32Array;

/** What attention on the GPU takes: all but the weights, which are B·H·T·S numbers. */
export type GpuAttentionOptions = Omit<AttentionOptions, "weights">;

/** bias, allow, sink and captured tensors as the shaders read them. */
export function optionArrays({ bias, allow, sink, modification }: HostProgram): NamedArrays {
  const tensors = tensorValues(modification);
  return {
    ...(tensors && { tensors }),
    ...(bias && { bias: Float32Array.from(bias.array.values) }),
    ...(allow && { allow: Uint32Array.from(allow.array.values) }),
    ...(typeof sink === "object" && { sink: Float32Array.from(sink.values) }),
  };
}

/** Rows that are no padding and see no key, which the forward pass marks. */
function emptyRowsOf(program: HostProgram, layout: Layout, low: Floats) {
  const { shapes, queryLengths, keyLengths } = program;
  const { queries } = callLayout(layout, shapes, queryLengths, keyLengths);
  const rows: { b: number; h: number; i: number }[] = [];
  for (let b = 0; b < shapes.B; b++) {
    for (let h = 0; h < shapes.H; h++) {
      for (let i = 0; i < (queryLengths?.[b] ?? shapes.T); i++) {
        if (low[queries.index(b, h, i)] === Infinity) rows.push({ b, h, i });
      }
    }
  }
  return rows;
}

export function checkSingle(op: string, q: unknown): void {
  if (q instanceof Float32Array) return;
  throw new OptionError("DTYPE", {
    op,
    rule: "q, k and v must be Float32Array on the GPU",
    got: described(q),
    remedy: "convert them, or use attention, which computes in float64 too",
  });
}

/**
 * Attention of q over k and v, on the GPU.
 *
 * @throws ShapeError, OptionError as `attention` · OptionError UNSUPPORTED where there is no WebGPU, LIMIT where one head is
 *   larger than the device binds · DeviceError LOST, FAULT · MemoryError MEMORY
 */
export async function attentionOnGpu(
  q: Floats,
  k: Floats,
  v: Floats,
  sizes: AttentionSizes,
  options: GpuAttentionOptions = {},
): Promise<AttentionOutput<Float32Array>> {
  const op = "attentionOnGpu";
  const { program, layout } = compileCall(op, sizes, options);
  checkArrays(op, program, layout, { q, k, v });
  checkSingle(op, q);
  const forward = await run(op, await gpuDevice(op), program, layout, { q, k, v });
  return {
    output: forward.output,
    lse: forward.lse,
    saved: { program, layout, q, k, v, ...forward },
  };
}

/** The forward pass of a call on arrays of float32, or of float16 as bits. */
async function run(
  op: string,
  gpu: GpuDevice,
  program: HostProgram,
  layout: Layout,
  operands: { readonly [name in "q" | "k" | "v"]: Floats | Uint16Array },
) {
  const { shapes } = program;
  const { queries } = callLayout(layout, shapes, program.queryLengths, program.keyLengths);
  const rows = queries.rows(shapes.B);
  const { subgroups } = gpu.features;
  const half = operands.q instanceof Uint16Array;
  const plan = forwardPasses(program, layout, { limits: gpu.limits, subgroups, half });
  const inputs = { ...operands, ...optionArrays(program) };
  const { out, lse } = await runPasses(op, gpu, plan, inputs, { out: rows * shapes.Dv, lse: 2 * rows });
  const lseLow = lse!.slice(rows);
  const empty = program.onEmptyRow === "zero" ? [] : emptyRowsOf(program, layout, lseLow);
  if (program.onEmptyRow === "error" && empty.length > 0) {
    throw new OptionError("EMPTY_ROW", emptyRow({ op, ...empty[0]! }));
  }
  lseLow.forEach((low, row) => {
    if (low === Infinity) lseLow[row] = 0;
  });
  return { output: out!, lse: lse!.slice(0, rows), lseLow, emptyRows: empty };
}

/**
 * `attentionOnGpu` over queries, keys and values of float16, as bits, which the device keeps and reads as such: half the
 * bytes. Scores, softmax and sums are float32, and so are the results, those of the decoded numbers. Forward alone.
 *
 *     |output − output of float32| ≤ (2δ + u)·max|v|,   δ = 2u·max Σ_d |scale·q_d·k_d|,   u = 2⁻¹¹ (`halfAttention`)
 *
 * @throws those of `attentionOnGpu` · OptionError UNSUPPORTED where the device has no float16
 */
export async function halfAttentionOnGpu(
  q: Uint16Array,
  k: Uint16Array,
  v: Uint16Array,
  sizes: AttentionSizes,
  options: GpuAttentionOptions = {},
): Promise<{ output: Float32Array; lse: Float32Array }> {
  const op = "halfAttentionOnGpu";
  const { program, layout } = compileCall(op, sizes, options);
  for (const [name, array] of Object.entries({ q, k, v })) {
    if (array instanceof Uint16Array) continue;
    throw new OptionError("DTYPE", {
      op,
      rule: `${name} must be a Uint16Array of float16's bits`,
      got: described(array),
      remedy: "encode it, or use attentionOnGpu",
    });
  }
  checkCounts(op, program, layout, { q, k, v });
  const { output, lse } = await run(op, await gpuDevice(op), program, layout, { q, k, v });
  return { output, lse };
}

/** lse and what rounding took from it, one after the other, with the marks of rows that see no key. */
export function savedLse({ program, layout, lse, lseLow, emptyRows }: SavedAttention<Float32Array>): Floats {
  const { shapes, queryLengths, keyLengths } = program;
  const { queries } = callLayout(layout, shapes, queryLengths, keyLengths);
  const both = new Float32Array(2 * lse.length);
  both.set(lse);
  both.set(lseLow, lse.length);
  for (const { b, h, i } of emptyRows) both[lse.length + queries.index(b, h, i)] = Infinity;
  return both;
}

/**
 * The gradients of Σ dout·output + Σ dlse·lse for the call that gave `saved`, here or in `attention`, on the GPU.
 *
 * @throws ShapeError SHAPE · OptionError OPTION, DTYPE, UNSUPPORTED, LIMIT · DeviceError LOST, FAULT · MemoryError MEMORY
 */
export async function attentionBackwardOnGpu(
  dout: Floats,
  saved: SavedAttention<Float32Array>,
  dlse?: Floats,
): Promise<AttentionGradientArrays<Float32Array>> {
  const op = "attentionBackwardOnGpu";
  checkSaved(op, saved, ["q", "k", "v", "output", "lse", "lseLow"], "q");
  const { program, layout, q, k, v, output } = saved;
  checkSingle(op, q);
  checkArrays(op, program, layout, dlse ? { q, k, v, dout, dlse } : { q, k, v, dout });
  const gpu = await gpuDevice(op);
  const plan = backwardPasses(program, layout, {
    limits: gpu.limits,
    subgroups: gpu.features.subgroups,
    dlse: dlse !== undefined,
  });
  const { bias, sink } = program;
  const inputs = { q, k, v, out: output, lse: savedLse(saved), dout, ...(dlse && { dlse }) };
  const results = {
    dq: q.length,
    dk: k.length,
    dv: v.length,
    ...(bias && { dbias: bias.array.values.length }),
    ...(sink !== undefined && { dsink: typeof sink === "number" ? 1 : sink.values.length }),
  };
  const learned = learnedOf(program.modification);
  const tensors = Object.fromEntries(learned.map(({ count }, n) => [`dtensor${n}`, count]));
  const given = { ...inputs, ...optionArrays(program) };
  const all = await runPasses(op, gpu, plan, given, { ...results, ...tensors });
  const { dq, dk, dv, dbias, dsink } = all;
  const dtensors = Object.fromEntries(learned.map(({ name }, n) => [name, all[`dtensor${n}`]!]));
  return {
    ...{ dq: dq!, dk: dk!, dv: dv! },
    ...(dbias && { dbias }),
    ...(dsink && { dsink }),
    ...(learned.length > 0 && { dtensors }),
  };
}
