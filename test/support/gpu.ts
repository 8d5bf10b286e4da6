/** WebGPU for tests in Node: the package `webgpu` on SwiftShader, the software device that Chromium brings along. */
import { test } from "vitest";
import { prepareSwiftShader } from "../../tools/swiftshader.mjs";

const missing = prepareSwiftShader();

/** A software device takes a second or so for each shader, and more on a busy machine. */
const PATIENCE_MS = 240_000;

/** `test`, skipped where there is no software GPU. */
export const gpuTest = (name: string, run: () => Promise<void>): void => {
  (missing ? test.skip : test)(name, run, PATIENCE_MS);
};

// A skipped test says why by its name.
if (missing) test.skip(`WebGPU: ${missing}`);
