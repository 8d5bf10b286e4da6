import type { Tensor } from "@tensorflow/tfjs-core";
import { Observed } from "./observed.ts";

/** A gate as it is applied. Its tensors are gone when the call is over. */
export interface GateCall {
  /** The function that made it. */
  readonly op: string;
  /** Which of its gates. */
  readonly name: string;
  readonly gate: Tensor;
  /** What came out; where the gate has as many axes, its first one is the batch too. */
  readonly output: Tensor;
}

/** Every gate over features, for a capture. */
export const gateCalls = new Observed<GateCall>();
