import type { Tensor } from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../core/program.ts";
import type { Layout } from "../../kernels/layout.ts";

/** One call of attention, as it happens. Its tensors are gone when the call is over. */
export interface AttentionCall {
  readonly program: AttentionProgram<Tensor>;
  /** [B, H, T, D] and [B, Hkv, S, D], or positions first in the layout "bthd"; with one head also [B, T, D] and [B, S, D]. */
  readonly scored?: { readonly layout: Layout; readonly q: Tensor; readonly k: Tensor };
  /** [B, H, T], or [B, T] with one head; there where `scored` is. */
  readonly lse?: () => Tensor;
  /** [B, H, T, S], or [B, T, S] with one head, before dropout. */
  readonly weights: () => Tensor;
}

export type AttentionObserver = (call: AttentionCall) => void;

let current: AttentionObserver | undefined;

/** Who is told of each call; undefined but during a capture, so that calls pay nothing for it. */
export function attentionObserver(): AttentionObserver | undefined {
  return current;
}

/** Runs `work` while `observer` is told of each call of attention in it; an observer before it comes back after. */
export function observeAttention<T>(observer: AttentionObserver, work: () => T): T {
  const before = current;
  current = observer;
  try {
    return work();
  } finally {
    current = before;
  }
}
