/** What the attention of a layer, a model or a function looked at, as a trace. */
export { type Capturable, type CaptureOptions, capture } from "./capture.ts";
export { type IntegratedGradientsOptions, integratedGradients } from "./integrated-gradients.ts";
export { kernelMaps } from "./kernel-maps.ts";
