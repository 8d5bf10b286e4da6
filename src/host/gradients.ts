import { getGradient } from "@tensorflow/tfjs-core";

/**
 * Makes the gradients of TensorFlow.js' own operations known. `@tensorflow/tfjs-core` alone registers none;
 * `@tensorflow/tfjs-layers` does, into the same registry, and is loaded only where nobody has yet.
 */
export async function loadGradients(): Promise<void> {
  if (!getGradient("Add")) await import("@tensorflow/tfjs-layers");
}
