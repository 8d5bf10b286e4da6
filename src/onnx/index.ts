/** Models as ONNX files, which other engines run. */
export { exportOnnx, type OnnxOptions, onnxFiles } from "./export.ts";
export { ONNX_LAYERS } from "./layers/table.ts";
export type { ImageOptions } from "./transformer/encoder.ts";
