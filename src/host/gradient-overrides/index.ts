/**
 * Gradients of TensorFlow.js' own operations that fail, are wrong or are missing there, on every backend. They are
 * composed of functional operations, and registered with the `heed` backend.
 */
import { isFirst } from "../first.ts";
import { elementwiseGradients } from "./elementwise.ts";
import { imageGradients } from "./images.ts";
import { keepGradients } from "./keep.ts";
import { moveGradients } from "./moves.ts";
import { productGradients } from "./products.ts";
import { scanGradients } from "./scans.ts";

export const gradientOverrides = [
  ...elementwiseGradients,
  ...scanGradients,
  ...moveGradients,
  ...imageGradients,
  ...productGradients,
];

/** Registers them, once. */
export function registerGradientOverrides(): void {
  if (isFirst("gradients")) keepGradients(gradientOverrides);
}
