export * from "./adaptive-span-attention.ts";
export * from "./adaptively-sparse-attention.ts";
export * from "./sentinel-gate.ts";
export * from "./visual-sentinel.ts";
