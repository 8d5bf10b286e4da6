/**
 * Attention on WebGPU: on typed arrays (`attentionOnGpu`), and as plain passes for a device of the caller's own. An entry point
 * of its own, so that who does not use it loads nothing of it.
 */
export { type BackwardOptions, backwardPasses } from "./backward.ts";
export { capturedPasses } from "./captured.ts";
export { adoptDevice, type GpuDevice, gpuDevice } from "./device.ts";
export { forwardPasses, type PassOptions } from "./forward.ts";
export {
  BASE_LIMITS,
  type PassBinding,
  type PassLimits,
  type PassPlan,
  type ShaderPass,
} from "./pass.ts";
export {
  attentionBackwardOnGpu,
  attentionOnGpu,
  type GpuAttentionOptions,
  halfAttentionOnGpu,
} from "./run.ts";
export { type GpuProbeRequest, probeOnGpu } from "./run-probe.ts";
export { gpuMemoryBytes, runPasses } from "./runner.ts";
