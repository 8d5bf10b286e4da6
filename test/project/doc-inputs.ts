import * as tf from "@tensorflow/tfjs-core";
import type { Scope } from "./snippets.ts";

/** The inputs that an `@example` takes for granted (`q`, `logits`, …), by source file. */
export const INPUTS: Record<string, () => Scope | Promise<Scope>> = {
  "ops/softmax-cross-entropy.ts": () => ({ logits: tf.randomNormal([2, 5]) }),
};
