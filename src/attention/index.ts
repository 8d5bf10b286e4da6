export * from "./efficient/index.ts";
export * from "./general/index.ts";
export * from "./gradcheck.ts";
export * from "./mask/index.ts";
export * from "./normalize/index.ts";
export * from "./position/index.ts";
export * from "./score/index.ts";
export * from "./sequence/index.ts";
