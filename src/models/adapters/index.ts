export type { LoraConfig } from "./adapter-config.ts";
export * from "./lora.ts";
export * from "./merge.ts";
