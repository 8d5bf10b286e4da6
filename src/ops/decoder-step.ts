import { engine, type NamedAttrMap, type Tensor3D } from "@tensorflow/tfjs-core";
import type { StepAttributes } from "../host/ops/decoder-step.ts";
import { attentionCalls } from "./attention/observe.ts";
import { isFused, runKernel } from "./registry.ts";

export type { StepAttributes, StepLayer, StepMap, StepNorm } from "../host/ops/decoder-step.ts";

const KERNEL = "HeedDecoderStep";

/** Whether a step may run as one kernel: the backend has it, and nobody asks for a gradient or watches attention. */
export function hasDecoderStep(): boolean {
  return isFused(KERNEL) && !engine().isTapeOn() && !attentionCalls.observer;
}

/**
 * One token of each example through all layers of a decoder, in one kernel: norms, products, rotation, attention over the
 * layer's cache, into which its keys and values are written first, and feed-forward maps. Bit for bit what the operations of
 * the layers give one after another. Where there is no such kernel, `hasDecoderStep` says so. Not differentiable.
 *
 * Shapes: x [B, 1, C], caches [B, capacity, Hkv, D] → [B, 1, C]; the caller checks them.
 */
export function decoderStep(x: Tensor3D, attributes: StepAttributes): Tensor3D {
  return runKernel(KERNEL, { x }, attributes as unknown as NamedAttrMap) as Tensor3D;
}
