/** Models as ONNX files, which other engines run. */
export { exportOnnx, type OnnxOptions, onnxFiles } from "./export.ts";
export type { ImageOptions } from "./transformer/encoder.ts";
