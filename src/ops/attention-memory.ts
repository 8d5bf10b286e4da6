import { backend, getBackend } from "@tensorflow/tfjs-core";
import { checkChoice } from "../core/check-options.ts";
import { OptionError } from "../core/errors.ts";
import type { ArrayInfo } from "../core/notation.ts";
import { compileProgram, type ProgramOptions } from "../core/program.ts";
import { heapOf } from "../host/heap.ts";
import { attentionScratch } from "../host/ops/attention.ts";
import { BACKEND } from "../host/register.ts";
import { checkShapes } from "../kernels/check.ts";
import type { AttentionSizes } from "../kernels/layout.ts";
import { type AttentionMemory, memoryOf } from "../kernels/memory.ts";

export type { AttentionMemory, CallBytes } from "../kernels/memory.ts";

export interface AttentionMemoryOptions extends ProgramOptions<ArrayInfo> {
  /** @default "bhtd" */
  layout?: "bhtd" | "bthd";
  /** Whether the weights [B, H, T, S] are asked for. @default false */
  weights?: boolean;
}

/**
 * What a call of `attention` and its gradients take in memory at their peak on the `heed` backend, before they are made: the
 * tensors that come and go, and the scratch of the kernels, which lay out here what they lay out in the call. `measureMemory`
 * says it after a call, on any backend.
 *
 *     peak = inputs + results + scratch, which grows with T + S;    densePeak = inputs + results + 8·B·H·T·S
 *
 * Cost: that of laying out, O(B·H).
 *
 * @param sizes of q, k and v; Hkv is H and Dv is D unless given
 * @throws ShapeError SHAPE, HEADS · OptionError UNSUPPORTED on other backends · and what `compileProgram` throws
 * @example
 * const { forward, backward, densePeak } = attentionMemory({ B: 1, H: 8, T: 4096, S: 4096, D: 64 });
 * forward.peak < densePeak / 5; // true
 */
export function attentionMemory(
  sizes: AttentionSizes,
  options: AttentionMemoryOptions = {},
): AttentionMemory {
  const op = "attentionMemory";
  const { layout = "bhtd", weights = false, ...given } = options;
  checkChoice(op, "layout", layout, ["bhtd", "bthd"]);
  const program = compileProgram(op, checkShapes(op, sizes), given);
  if (getBackend() !== BACKEND) {
    throw new OptionError("UNSUPPORTED", {
      op,
      rule: `the backend must be "${BACKEND}", whose kernels know what they take`,
      got: `"${getBackend()}"`,
      remedy: "await useHeedBackend(), or measure the call with measureMemory",
    });
  }
  const scratch = attentionScratch(heapOf(backend()), program, layout);
  const forward = weights ? Math.max(scratch.forward, scratch.weights) : scratch.forward;
  return memoryOf(program, layout, { ...scratch, forward }, weights);
}
