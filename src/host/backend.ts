/**
 * The `heed` backend: TensorFlow.js' WebAssembly backend under a name of its own, with our kernels where the stock
 * ones are missing, slow or wrong. The stock backends stay as they are.
 *
 * @example
 * import "heed/backend";
 * import { setBackend } from "@tensorflow/tfjs-core";
 * await setBackend("heed");
 *
 * @module
 */
import "@tensorflow/tfjs-backend-wasm";
import { findBackendFactory, registerBackend } from "@tensorflow/tfjs-core";
import { allowRelaxedSimd } from "../kernels/wasm/relaxed.ts";
import { registerGradientOverrides } from "./gradient-overrides/index.ts";
import { registerOwnKernels } from "./ops/index.ts";
import { kernelOverrides } from "./overrides/index.ts";
import { BACKEND, copyStockKernels, registerHeedKernel } from "./register.ts";
import { startHeedBackend } from "./start.ts";
import { patchTensorMethods } from "./tensor-methods.ts";

export { BACKEND } from "./register.ts";

/** Above the stock backends: importing this module without a `setBackend` selects it. */
const PRIORITY = 5;

function registerHeedBackend(): void {
  allowRelaxedSimd();
  copyStockKernels();
  for (const [name, kernel] of Object.entries(kernelOverrides)) registerHeedKernel(name, kernel);
  registerOwnKernels();
  registerGradientOverrides();
  patchTensorMethods();
  registerBackend(BACKEND, startHeedBackend, PRIORITY);
}

if (!findBackendFactory(BACKEND)) registerHeedBackend();
