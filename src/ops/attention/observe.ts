import type { Tensor } from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../core/program.ts";
import type { Layout } from "../../kernels/layout.ts";
import { Observed } from "../observe.ts";

/** What a call is made over again with; what is left out stays as it was. */
export interface CallChange {
  /** Of the same shapes. */
  readonly program?: AttentionProgram<Tensor>;
  /** In the shapes of the call's own; read where the call has `scored`. */
  readonly q?: Tensor;
  readonly k?: Tensor;
  readonly values?: Tensor;
}

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
  /** The same call of another program or of other tensors: one more pass, which nobody is notified of. */
  readonly again: (change: CallChange) => AttentionCall;
}

/** Every call of attention, for a capture. */
export const attentionCalls = new Observed<AttentionCall>();

/** Notifies the observer, if there is one. Returns the output that goes on. */
export function notifyOfCall(call: AttentionCall): Tensor {
  attentionCalls.observer?.(call);
  return call.output;
}
