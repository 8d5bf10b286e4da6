export * from "./softmax.ts";
