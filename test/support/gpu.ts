/** WebGPU for tests in Node: the package `webgpu` on SwiftShader, the software device that Chromium brings along. */
import { test } from "vitest";
import { adoptDevice, gpuDevice } from "../../src/kernels/webgpu/device.ts";
import { prepareSwiftShader } from "../../tools/swiftshader.mjs";

const missing = prepareSwiftShader();

/** A software device takes a second or so for each shader, and more on a busy machine. */
export const PATIENCE_MS = 240_000;

/** `test`, skipped where there is no software GPU. */
export const gpuTest = (name: string, run: () => Promise<void>): void => {
  (missing ? test.skip : test)(name, run, PATIENCE_MS);
};

/**
 * Runs a test on a device of its own, which it may lose. The process then goes on with the one that it had, whose shaders need not be
 * compiled again.
 */
export async function onOwnDevice(run: () => Promise<void>): Promise<void> {
  const { device } = await gpuDevice();
  const { limits, features } = device;
  const lost = Promise.resolve({ reason: "destroyed", message: "" });
  adoptDevice({ limits, features, lost } as unknown as GPUDevice);
  // Once it is known to be lost the next call asks for another.
  await lost;
  try {
    await run();
  } finally {
    adoptDevice(device);
  }
}

// A skipped test says why by its name.
if (missing) test.skip(`WebGPU: ${missing}`);
