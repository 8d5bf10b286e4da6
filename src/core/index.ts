export * from "./convert.ts";
export * from "./errors.ts";
export * from "./hungarian.ts";
export * from "./notation.ts";
export * from "./program.ts";
export * from "./program-rows.ts";
export * from "./random.ts";
export * from "./shapes.ts";
