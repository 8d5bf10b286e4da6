import type { Tensor, Tensor4D } from "@tensorflow/tfjs-core";
import { Observed } from "./observed.ts";

/** A glimpse as it is taken. Its tensors are gone when the call is over. */
export interface GlimpseCall {
  /** The function that took it. */
  readonly op: string;
  /** [B, H, W, C] */
  readonly image: Tensor4D;
  /**
   * [B, 6], u, d and s (first centre, stride and deviation, in pixels) of the rows and then of the columns; or θ
   * [B, 2, 3] with aligned corners.
   */
  readonly parameters: Tensor;
  /** Rows and columns of the glimpse. */
  readonly size: readonly [rows: number, columns: number];
}

/** Every glimpse of an image, for a capture. */
export const glimpseCalls = new Observed<GlimpseCall>();
