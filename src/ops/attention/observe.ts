import type { Tensor } from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../core/program.ts";
import type { Layout } from "../../kernels/layout.ts";
import { Observed } from "../observe.ts";

/** One call of attention, as it happens. Its tensors are gone when the call is over. */
export interface AttentionCall {
  readonly program: AttentionProgram<Tensor>;
  /** [B, H, T, D] and [B, Hkv, S, D], or positions first in the layout "bthd"; with one head also [B, T, D] and [B, S, D]. */
  readonly scored?: { readonly layout: Layout; readonly q: Tensor; readonly k: Tensor };
  /** [B, H, T], or [B, T] with one head; there where `scored` is. */
  readonly lse?: () => Tensor;
  /** [B, H, T, S], or [B, T, S] with one head, before dropout. */
  readonly weights: () => Tensor;
  /** [B, Hkv, S, Dv] in that layout, heads first without one; with one head also [B, S, Dv]. */
  readonly values: Tensor;
  /** What the weights make of the values. The observer may replace it by another tensor, which then goes on. */
  output: Tensor;
}

/** Every call of attention, for a capture. */
export const attentionCalls = new Observed<AttentionCall>();

/** Notifies the observer of the call that gave `output`; `facts` are made only then. Returns the output that goes on. */
export function notifyOfCall(output: Tensor, facts: () => Omit<AttentionCall, "output">): Tensor {
  const { observer } = attentionCalls;
  if (!observer) return output;
  const call = { ...facts(), output };
  observer(call);
  return call.output;
}
