export * from "./additive.ts";
export * from "./concat.ts";
export * from "./dot.ts";
export * from "./general.ts";
export * from "./location.ts";
export * from "./scaled-dot.ts";
export * from "./score.ts";
