export * from "./alibi-bias.ts";
export * from "./position-embedding.ts";
export * from "./relative-position-bias.ts";
export * from "./rotary-embedding.ts";
export * from "./sinusoidal-position-encoding.ts";
