export * from "./adaptive-computation-time.ts";
export * from "./adaptive-span.ts";
export * from "./adaptively-sparse.ts";
export * from "./visual-sentinel.ts";
