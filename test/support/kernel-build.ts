import "@tensorflow/tfjs-backend-cpu";
// Outside of the "tfjs" union package, it is the layers package that registers the gradients of the core ops.
import "@tensorflow/tfjs-layers";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect } from "vitest";
import { BACKEND } from "../../src/host/backend.ts";
import { chooseKernelBuild, heapOf } from "../../src/host/heap.ts";
import { startHeedBackend } from "../../src/host/start.ts";
import type { KernelBuild } from "../../src/kernels/wasm/load.ts";
import { changedBuild } from "./changed-build.ts";

export const BUILDS: readonly KernelBuild[] = ["relaxed", "plain"];

/** Starts a fresh heed backend on one build of the kernels, or on the one of this machine, and makes it the current one. */
export async function useBuild(build: KernelBuild | undefined): Promise<void> {
  await tf.setBackend("cpu");
  tf.removeBackend(BACKEND);
  chooseKernelBuild(build);
  changedBuild.is = build !== undefined;
  tf.registerBackend(BACKEND, startHeedBackend);
  expect(await tf.setBackend(BACKEND)).toBe(true);
  if (build !== undefined) expect(heapOf(tf.backend()).build).toBe(build);
}

/** Runs a suite on the relaxed and on the plain kernels. */
export function describeBuilds(name: string, suite: () => void): void {
  describe.each(BUILDS)(`${name} (%s kernels)`, (build) => {
    beforeAll(() => useBuild(build));
    suite();
  });
}
