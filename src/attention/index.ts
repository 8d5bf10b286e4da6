export * from "./general/index.ts";
export * from "./gradcheck.ts";
export * from "./mask/index.ts";
export * from "./normalize/index.ts";
export * from "./score/index.ts";
export * from "./sequence/index.ts";
export * from "./transformer/index.ts";
