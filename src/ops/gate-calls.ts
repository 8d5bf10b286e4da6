import type { Tensor } from "@tensorflow/tfjs-core";
import { Observed } from "./observed.ts";

/** A gate as it is applied. Its tensors are gone when the call is over. */
export interface GateCall {
  /** The function that made it. */
  readonly op: string;
  /** Which of its gates. */
  readonly name: string;
  readonly gate: Tensor;
  /** Whether its first axis is the batch. */
  readonly hasBatch: boolean;
}

/** Every gate over features, for a capture. */
export const gateCalls = new Observed<GateCall>();
