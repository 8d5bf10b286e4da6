/** Classics as functions of scores: each can be read, copied and changed. */
export * from "./masks.ts";
export * from "./scores.ts";
