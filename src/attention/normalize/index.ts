export * from "../../ops/attention/softmax.ts";
export * from "./entmax.ts";
export * from "./hardmax.ts";
export * from "./normalizers.ts";
export * from "./sigmoid-weights.ts";
export * from "./softmax-plus-one.ts";
export * from "./sparsemax.ts";
