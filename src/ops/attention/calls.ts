import type { Tensor } from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../core/program.ts";
import type { Layout } from "../../kernels/layout.ts";
import { Observed } from "../observed.ts";

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

/** Every call of attention, for a capture. */
export const attentionCalls = new Observed<AttentionCall>();
