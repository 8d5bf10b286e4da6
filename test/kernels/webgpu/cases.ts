/** Attention problems on the GPU, by the names of the oracle. */
import { size } from "../../../src/core/notation.ts";
import { backwardPasses } from "../../../src/kernels/webgpu/backward.ts";
import { gpuDevice } from "../../../src/kernels/webgpu/device.ts";
import { forwardPasses, type PassOptions } from "../../../src/kernels/webgpu/forward.ts";
import { learnedOf } from "../../../src/kernels/webgpu/modification.ts";
import type { ShaderPass } from "../../../src/kernels/webgpu/pass.ts";
import { optionArrays } from "../../../src/kernels/webgpu/run.ts";
import { runPasses } from "../../../src/kernels/webgpu/runner.ts";
import type { Arrays, Case } from "../cases.ts";

export interface GpuResults {
  readonly results: Arrays;
  readonly passes: readonly ShaderPass[];
}

export interface RunOptions extends PassOptions {
  /** Without gradients: a software device takes a second for each shader. @default false */
  readonly forwardOnly?: boolean;
  /** q, k and v as the device has them, where that is not as the case has them. */
  readonly operands?: Readonly<Record<"q" | "k" | "v", Uint16Array>>;
}

/** Forward and backward of a compiled case, on a device that says to have these limits and features. */
export async function runOnGpu(
  c: Case,
  { forwardOnly = false, operands, ...options }: RunOptions = {},
): Promise<GpuResults> {
  const { program, q, k, v, dout, dlse } = c;
  const gpu = await gpuDevice();
  const given = { limits: gpu.limits, ...options };
  const { B, H, T, Dv } = program.shapes;
  const rows = B * H * T;
  const inputs = { q, k, v, ...operands, ...optionArrays(program) };
  const there = forwardPasses(program, "bhtd", given);
  const forward = await runPasses("forward", gpu, there, inputs, { out: rows * Dv, lse: 2 * rows });
  const made = { output: forward.out!, lse: forward.lse!.slice(0, rows) };
  if (forwardOnly) return { results: made, passes: there.passes };
  const { bias, sink } = program;
  const back = backwardPasses(program, "bhtd", { ...given, dlse: true });
  const learned = learnedOf(program.modification);
  const tensors = Object.fromEntries(learned.map(({ count }, n) => [`dtensor${n}`, count]));
  const gradients = await runPasses(
    "backward",
    gpu,
    back,
    { ...inputs, ...forward, dout, dlse },
    {
      dq: q.length,
      dk: k.length,
      dv: v.length,
      ...(bias && { dbias: size(bias.array.shape) }),
      ...(sink !== undefined && { dsink: typeof sink === "number" ? 1 : H }),
      ...tensors,
    },
  );
  const named = Object.entries(gradients).map(([name, values]) => {
    const n = Object.keys(tensors).indexOf(name);
    return [n < 0 ? name : `dtensors.${learned[n]!.name}`, values];
  });
  const results = { ...made, ...Object.fromEntries(named) };
  return { results, passes: [...there.passes, ...back.passes] };
}
