/** Node 20 has relaxed SIMD behind a flag, which only counts for modules compiled after it is set. */
export function allowRelaxedSimd(): void {
  const major = Number(globalThis.process?.versions?.node?.split(".")[0] ?? Number.NaN);
  // Through getBuiltinModule, so that bundlers see no import of a Node module.
  if (major < 22) process.getBuiltinModule("node:v8").setFlagsFromString("--experimental-wasm-relaxed-simd");
}
