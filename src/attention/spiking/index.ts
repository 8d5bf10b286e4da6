export {
  type LeakyIntegrateAndFireOptions,
  type LeakyIntegrateAndFireResult,
  leakyIntegrateAndFire,
  type NeuronOptions,
} from "./leaky-integrate-and-fire.ts";
export {
  type SpikingAttentionOptions,
  type SpikingAttentionResult,
  spikingAttention,
} from "./spiking-attention.ts";
export * from "./spiking-operations.ts";
export * from "./spiking-self-attention.ts";
export { type SurrogateOptions, spike } from "./surrogate.ts";
