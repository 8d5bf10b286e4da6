/** What attention looked at, found out on the GPU: of `probe` what is of each query by itself. */
import type { SavedAttention } from "../attention.ts";
import { checkProbe, type ProbeRequest, type ProbeResult, rowProbes } from "../probe.ts";
import { gpuDevice } from "./device.ts";
import { probePasses } from "./probe.ts";
import { checkSingle, optionArrays, savedLse } from "./run.ts";
import { runPasses } from "./runner.ts";
import { weightsPasses } from "./weights.ts";

const OP = "probeOnGpu";
const NAMES = ["rows", "topK", "max", "entropy", "sinkMass"];

/** What can be asked for. */
export type GpuProbeRequest = Pick<ProbeRequest, "rows" | "topK" | "max" | "entropy" | "sinkMass">;

/**
 * `probe` on the GPU: whole rows of weights, the largest weights of each query, and its entropy, from q, k and the log-sum-exp that
 * the call which gave `saved` kept. Weights are computed again a tile at a time, and no more of them is stored than is asked for.
 *
 * Shapes: as of `probe`. Cost: 2·T·S·D flops a head for the largest weights, as many for the entropy, and 64·S·D a row.
 *
 * @throws OptionError OPTION, DTYPE, UNSUPPORTED, LIMIT · ShapeError SHAPE · DeviceError LOST, FAULT · MemoryError MEMORY
 */
export async function probeOnGpu<const R extends GpuProbeRequest>(
  saved: SavedAttention<Float32Array>,
  request: R,
): Promise<ProbeResult<Float32Array, R>> {
  checkProbe(OP, saved, request, NAMES);
  const { program, layout, q, k } = saved;
  checkSingle(OP, q);
  const { rows, topK, max, entropy = false } = request;
  const { B, H, T, S } = program.shapes;
  const gpu = await gpuDevice(OP);
  const options = { limits: gpu.limits, subgroups: gpu.features.subgroups };
  const topCount = topK ?? (max ? 1 : 0);
  const plans = [
    probePasses(program, layout, { ...options, entropy, topK: topCount }),
    ...(rows?.length ? [weightsPasses(program, layout, { ...options, rows })] : []),
  ];
  const sizes = {
    weights: B * H * (rows?.length ?? 0) * S,
    topWeights: B * H * T * topCount,
    topKeys: B * H * T * topCount,
    entropy: entropy ? B * H * T : 0,
  };
  const inputs = { q, k, lse: savedLse(saved), ...optionArrays(program) };
  const plan = { passes: plans.flatMap(({ passes }) => passes), scratch: {} };
  const found = await runPasses(OP, gpu, plan, inputs, sizes);
  const arrays = {
    rows: found.weights!,
    topWeights: found.topWeights!,
    topKeys: new Int32Array(found.topKeys!.buffer),
    entropy: found.entropy!,
  };
  return rowProbes(saved, request, arrays) as ProbeResult<Float32Array, R>;
}
