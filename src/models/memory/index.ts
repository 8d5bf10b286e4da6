export * from "./end-to-end-memory-network.ts";
export { type MemoryKind, type MemoryTransformerConfig, memoryParameters } from "./memory-config.ts";
export * from "./memory-transformer.ts";
export * from "./neural-turing-machine.ts";
