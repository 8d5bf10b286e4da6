import * as tf from "@tensorflow/tfjs-core";
import { describe, expect } from "vitest";
import { gpuOf } from "../../../src/host/webgpu/gpu.ts";
import { useWebGpu } from "../../../src/host/webgpu/index.ts";
import { perElement } from "../../../src/host/webgpu/shader.ts";
import { gelu } from "../../../src/ops/index.ts";
import { gpuTest, onOwnDevice } from "../../support/gpu.ts";

describe("useWebGpu", () => {
  gpuTest("starts once, tells what the device is, and keeps its tensors", async () => {
    const { adapter, maxTensorBytes } = await useWebGpu();
    expect(adapter).not.toBe("");
    expect(maxTensorBytes).toBeGreaterThanOrEqual(2 ** 27);
    const backend = tf.backend();
    const x = gelu(tf.tensor1d([1, 2, 3]));
    await useWebGpu();
    expect(tf.backend()).toBe(backend);
    expect((await x.data())[0]).toBeCloseTo(0.841345, 6);
    x.dispose();
  });

  gpuTest("refuses to read without waiting, and says what to do", async () => {
    await useWebGpu();
    const x = tf.tensor1d([1, 2, 3]);
    expect([...x.dataSync()]).toEqual([1, 2, 3]);
    const y = gelu(x);
    expect(() => y.dataSync()).toThrow(
      "dataSync: what the webgpu backend has computed must be waited for, got a call that does not wait; " +
        "use await tensor.data(), or compute this on another backend",
    );
    await y.data();
    expect(y.dataSync()).toHaveLength(3);
    tf.dispose([x, y]);
  });

  gpuTest("refuses a tensor larger than a binding, and leaves nothing behind", async () => {
    const { maxTensorBytes } = await useWebGpu();
    const gpu = gpuOf(tf.backend());
    const before = tf.memory().numTensors;
    const shape = [maxTensorBytes / 4 + 1];
    expect(() => gpu.kernel("gelu", () => gpu.output(shape))).toThrow(
      expect.objectContaining({ code: "LIMIT", message: expect.stringContaining("gelu: a tensor must fit") }),
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  gpuTest("says at the next call that the device refused a pass", async () => {
    await useWebGpu();
    const gpu = gpuOf(tf.backend());
    const uniforms = { n: ["u32", 1] } as const;
    const pass = perElement({ label: "wrong", buffers: { out: "f32" }, writes: ["out"], uniforms }, "no;");
    const out = gpu.output([1]);
    gpu.run([pass], { out });
    await gpu.device.queue.onSubmittedWorkDone();
    const x = tf.tensor1d([1]);
    expect(() => gelu(x)).toThrow(
      expect.objectContaining({
        code: "FAULT",
        message: expect.stringMatching(
          /^HeedGelu: every pass .* must have run, got Error while parsing WGSL/,
        ),
      }),
    );
    // The commands that it was recorded among are lost with it: another backend on the same device goes on.
    tf.dispose([x]);
    tf.removeBackend("webgpu");
    await useWebGpu();
    const y = gelu(tf.tensor1d([1]));
    expect((await y.data())[0]).toBeCloseTo(0.841345, 6);
    y.dispose();
  });

  gpuTest("says that the device is lost, and starts another when it is called again", () =>
    onOwnDevice(loseDevice),
  );
});

async function loseDevice(): Promise<void> {
  tf.removeBackend("webgpu");
  await useWebGpu();
  const { device } = gpuOf(tf.backend());
  const [x, y] = tf.tidy(() => [tf.tensor1d([1]), gelu(tf.tensor1d([2]))]);
  device.destroy();
  await device.lost;
  const lost = {
    code: "LOST",
    message: expect.stringMatching(
      /^HeedGelu: the WebGPU device must be there, got a lost one \(.*\); call useWebGpu\(\) again; /,
    ),
  };
  expect(() => gelu(x!)).toThrow(expect.objectContaining(lost));
  await expect(y!.data()).rejects.toMatchObject({ code: "LOST" });
  await useWebGpu();
  const z = gelu(tf.tensor1d([1]));
  expect((await z.data())[0]).toBeCloseTo(0.841345, 6);
  tf.dispose([x!, y!, z]);
  // The next file starts one on the process's own device.
  tf.removeBackend("webgpu");
}
