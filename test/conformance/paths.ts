/** Every way that heed has to compute attention, each as a function from a task to results by name. */
import * as tf from "@tensorflow/tfjs-core";
import type { Case } from "../../conformance/inputs.mjs";
import { type SoftAttentionOptions, softAttention } from "../../src/attention/sequence/index.ts";
import { HeedError } from "../../src/core/errors.ts";
import { compileModified } from "../../src/core/modified-program.ts";
import type { HostArray } from "../../src/core/notation.ts";
import type { ProgramOptions } from "../../src/core/program.ts";
import { useWebGpu } from "../../src/host/webgpu/index.ts";
import { attention, attentionBackward } from "../../src/kernels/attention.ts";
import { init } from "../../src/kernels/init.ts";
import { AttentionEngine } from "../../src/kernels/wasm/attention/engine.ts";
import type { KernelBuild } from "../../src/kernels/wasm/load.ts";
import { allowRelaxedSimd } from "../../src/kernels/wasm/relaxed.ts";
import { tensor } from "../attention/support.ts";
import { namedTensors } from "../kernels/cases.ts";
import { inBhtd } from "./layout.ts";
import { compare, type Results, type Task, taskOf } from "./suite.ts";

export interface Path {
  readonly name: string;
  readonly precision: "float32" | "float64";
  /** Whether callers may use it, so that it refuses what it must. */
  readonly isPublic: boolean;
  /** Results and gradients; throws what heed throws. */
  readonly run: (task: Task) => Promise<Results>;
}

const defined = (results: Record<string, ArrayLike<number> | undefined>): Results =>
  Object.fromEntries(Object.entries(results).filter(([, values]) => values)) as Results;

/** `heed/kernels` on one kind of array, in the case's layout: plain loops on Float64Array, kernels on Float32Array. */
function onTypedArrays(kind: Float32ArrayConstructor | Float64ArrayConstructor) {
  return (task: Task): Results => {
    const { layout = "bhtd" } = task.case;
    const [q, k, v, dout] = [task.q, task.k, task.v, task.dout].map((x) => kind.from(x));
    const packed = layout === "thd" ? packedRows(task) : undefined;
    const dlse = task.dlse && kind.from(packed ? packed.pack(task.dlse) : task.dlse);
    const options = { ...task.options, layout, ...(task.weights && { weights: true }) };
    const { saved, lse, ...forward } = attention(q!, k!, v!, packed?.sizes ?? task.sizes, options);
    const rows = packed ? packed.unpack(lse, task.options.sink) : lse;
    const { dtensors, ...gradients } = attentionBackward(dout!, saved, dlse);
    return { ...forward, lse: rows, ...gradients, ...namedTensors(dtensors) };
  };
}

/** Packed sequences: their sizes count rows of all, and lse, padded in the files, is [H, ΣT]. */
function packedRows({ sizes, options }: Task) {
  const { B, H, T } = sizes;
  const sum = (lengths: ArrayLike<number>) => Array.from(lengths).reduce((total, n) => total + n, 0);
  const lengths = Array.from(options.queryLengths!);
  const total = sum(lengths);
  const places: [packed: number, padded: number][] = [];
  for (let b = 0; b < B; b++) {
    const start = sum(lengths.slice(0, b));
    for (let h = 0; h < H; h++) {
      for (let i = 0; i < lengths[b]!; i++) places.push([h * total + start + i, (b * H + h) * T + i]);
    }
  }
  return {
    sizes: { ...sizes, T: total, S: sum(options.keyLengths!) },
    pack(x: ArrayLike<number>): Float64Array {
      const out = new Float64Array(H * total);
      for (const [packed, padded] of places) out[packed] = x[padded]!;
      return out;
    },
    /** A padded query sees nothing but the sink. */
    unpack(x: ArrayLike<number>, sink: ProgramOptions<HostArray>["sink"]): Float64Array {
      const of = (h: number) => (typeof sink === "object" ? sink.values[h]! : (sink ?? -Infinity));
      const out = Float64Array.from({ length: B * H * T }, (_, row) => of(Math.floor(row / T) % H));
      for (const [packed, padded] of places) out[padded] = x[packed]!;
      return out;
    },
  };
}

/** One build of the kernels, whichever this machine would choose. */
function onKernels(build: KernelBuild) {
  let engine: AttentionEngine | undefined;
  return (task: Task): Results => {
    allowRelaxedSimd();
    engine ??= new AttentionEngine(build);
    const program = compileModified("attention", task.sizes, task.options);
    const [q, k, v, dout] = [task.q, task.k, task.v, task.dout].map((x) => Float32Array.from(x)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const dlse = task.dlse && Float32Array.from(task.dlse);
    const saved = engine.forward(program, { q, k, v });
    const { dtensors, ...gradients } = engine.backward(program, { q, k, v }, saved, dout, dlse);
    const weights = task.weights ? engine.weights(program, { q, k }, saved) : undefined;
    return defined({
      output: saved.output,
      lse: saved.lse,
      weights,
      ...gradients,
      ...namedTensors(dtensors),
    });
  };
}

/** `softAttention` on a backend, with TensorFlow.js' gradients; composed in chunks where it is told so. */
function onBackend(
  backend: string,
  chunks: Pick<SoftAttentionOptions, "queryChunkSize" | "keyChunkSize"> = {},
) {
  return async (task: Task): Promise<Results> => {
    if (backend === "webgpu") await useWebGpu();
    else await tf.setBackend(backend);
    const before = tf.memory().numTensors;
    const results = tf.tidy(
      () => runSoftAttention(task, chunks) as unknown as tf.Tensor[],
    ) as never as Record<string, tf.Tensor>;
    const read: Results = {};
    for (const [name, tensor] of Object.entries(results)) {
      read[name] = await tensor.data();
      tensor.dispose();
    }
    const leaked = tf.memory().numTensors - before;
    if (leaked !== 0) throw new Error(`${leaked} tensors leaked`);
    return read;
  };
}

function runSoftAttention(task: Task, chunks: SoftAttentionOptions): Record<string, tf.Tensor> {
  const { B, H, Hkv, T, S, D, Dv } = task.sizes;
  const floats = (values: ArrayLike<number>, shape: number[]): tf.Tensor4D =>
    tensor({ shape, dtype: "float32", values });
  const q = floats(task.q, [B, H, T, D]);
  const k = floats(task.k, [B, Hkv, S, D]);
  const v = floats(task.v, [B, Hkv, S, Dv]);
  const options = { ...onDevice(task), ...chunks };
  const wanted = { ...options, lse: true, ...(task.weights && { weights: true }) } as const;
  const { output, lse, weights } = softAttention(q, k, v, wanted);
  const gradients = gradientsOf(task, { q, k, v }, options, floats(task.dout, output.shape));
  return { output, lse, ...(weights && { weights }), ...gradients };
}

function onDevice({ options: { allow, bias, sink, tensors, ...rest } }: Task): SoftAttentionOptions {
  return {
    ...rest,
    ...(tensors && {
      tensors: Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, onDeviceOf(x)])),
    }),
    ...(allow && { allow: tensor(allow) }),
    ...(bias && { bias: tensor(bias) }),
    ...(sink !== undefined && { sink: typeof sink === "number" ? sink : tensor(sink as HostArray) }),
  };
}

/** An array of any kind as a tensor. */
const onDeviceOf = ({ shape, dtype, values }: HostArray): tf.Tensor =>
  tf.tensor(Array.from(values), [...shape], dtype as "int32");

/** The gradients of Σ dout·output + Σ dlse·lse. A sink that is a number has one only as an array of equal ones. */
function gradientsOf(
  task: Task,
  inputs: { q: tf.Tensor4D; k: tf.Tensor4D; v: tf.Tensor4D },
  options: SoftAttentionOptions,
  dout: tf.Tensor,
): Record<string, tf.Tensor> {
  const { bias, sink } = options;
  const learned = {
    ...inputs,
    ...(bias && { bias }),
    ...(sink !== undefined && { sink: typeof sink === "number" ? tf.fill([task.sizes.H], sink) : sink }),
  };
  const names = Object.keys(learned);
  const loss = (...tensors: tf.Tensor[]) => {
    const { q, k, v, ...more } = Object.fromEntries(names.map((name, n) => [name, tensors[n]!]));
    const wanted = { ...options, ...more, lse: true } as const;
    const { output, lse } = softAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, wanted);
    const sum = tf.sum(tf.mul(output, dout));
    return task.dlse
      ? tf.add(sum, tf.sum(tf.mul(lse, tf.tensor(Float32Array.from(task.dlse), lse.shape))))
      : sum;
  };
  const gradients = tf.grads(loss)(Object.values(learned));
  return Object.fromEntries(
    names.map((name, n) => {
      const whole = name === "sink" && typeof sink === "number" ? tf.sum(gradients[n]!) : gradients[n]!;
      return [`d${name}`, whole];
    }),
  );
}

/** A path that knows one layout. */
const path = (
  name: string,
  precision: Path["precision"],
  run: (task: Task) => Results | Promise<Results>,
  isPublic = true,
): Path => ({ name, precision, isPublic, run: (task) => inBhtd(task, run) });

const native = (name: string, precision: Path["precision"], run: (task: Task) => Results): Path => ({
  ...{ name, precision, isPublic: true },
  run: async (task) => run(task),
});

export const paths: readonly Path[] = [
  native("reference", "float64", onTypedArrays(Float64Array)),
  native("kernels", "float32", onTypedArrays(Float32Array)),
  path("relaxed kernels", "float32", onKernels("relaxed"), false),
  path("plain kernels", "float32", onKernels("plain"), false),
  path("composed on cpu", "float32", onBackend("cpu")),
  path("composed on heed", "float32", onBackend("heed")),
  path("in chunks on cpu", "float32", onBackend("cpu", { queryChunkSize: 2, keyChunkSize: 3 })),
];

/** Those on a device, where there is one. */
export const gpuPath = path("webgpu", "float32", onBackend("webgpu"));

/** Compiles what the paths need. */
export async function startPaths(): Promise<void> {
  await init();
}

/** What is wrong with one path on one case. */
export async function problemsOf(c: Case, { precision, run }: Path, task = taskOf(c)): Promise<string[]> {
  try {
    const results = await run(task);
    return c.error ? [`no error, not ${c.error}`] : compare(c, precision, results);
  } catch (error) {
    if (c.error && error instanceof HeedError)
      return error.code === c.error ? [] : [`${error.code}, not ${c.error}`];
    return [String(error)];
  }
}
