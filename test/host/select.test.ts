import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, expect, it, vi } from "vitest";
import { HeedError } from "../../src/core/errors.ts";
import { BACKEND } from "../../src/host/backend.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import { startHeedBackend } from "../../src/host/start.ts";

afterEach(() => {
  tf.removeBackend(BACKEND);
  tf.registerBackend(BACKEND, startHeedBackend);
  vi.restoreAllMocks();
});

it("useHeedBackend makes heed the current backend", async () => {
  await tf.setBackend("cpu");
  await useHeedBackend();
  expect(tf.getBackend()).toBe(BACKEND);
});

it("useHeedBackend throws when heed cannot start, instead of going on with cpu", async () => {
  await tf.setBackend("cpu");
  tf.removeBackend(BACKEND);
  tf.registerBackend(BACKEND, () => Promise.reject(new Error("no WebAssembly here")));
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const attempt = useHeedBackend();
  await expect(attempt).rejects.toThrow(HeedError);
  await expect(attempt).rejects.toThrow(
    'useHeedBackend: the backend "heed" must start, got a failure, whose reason TensorFlow.js has printed; check that ' +
      "WebAssembly with SIMD is there and that its files can be loaded",
  );
});

it("setBackend prints what to do when TensorFlow.js' file is not to be had", async () => {
  const stock = tf.findBackendFactory("wasm");
  tf.removeBackend("wasm");
  tf.registerBackend("wasm", () =>
    Promise.reject({ message: "Make sure the server can serve it. And so on" }),
  );
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  try {
    expect(await tf.setBackend(BACKEND)).toBe(false);
    expect(warn.mock.calls.flat().join(" ")).toContain(
      'setBackend("heed"): WebAssembly with SIMD must be there, and TensorFlow.js\' file tfjs-backend-wasm-simd.wasm, got ' +
        "Make sure the server can serve it; serve the .wasm files of @tensorflow/tfjs-backend-wasm, and name their folder " +
        "with its setWasmPaths",
    );
  } finally {
    tf.removeBackend("wasm");
    tf.registerBackend("wasm", stock as never);
  }
});
