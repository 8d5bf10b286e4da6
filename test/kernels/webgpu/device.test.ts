/** Devices that are there, missing, too small or lost. */
import { describe, expect, test } from "vitest";
import { adoptDevice, gpuDevice } from "../../../src/kernels/webgpu/device.ts";
import {
  attentionBackwardOnGpu,
  attentionOnGpu,
  halfAttentionOnGpu,
} from "../../../src/kernels/webgpu/run.ts";
import { gpuMemoryBytes } from "../../../src/kernels/webgpu/runner.ts";
import { gpuTest, onOwnDevice } from "../../support/gpu.ts";

const sizes = { B: 1, H: 1, T: 1, S: 2, D: 1 };
const arrays = () => [Float32Array.of(0), Float32Array.of(1, 2), Float32Array.of(4, 8)] as const;

describe("the device of WebGPU", () => {
  gpuTest("attention on typed arrays, there and back, keeps its buffers for the next call", async () => {
    const { output, lse, saved } = await attentionOnGpu(...arrays(), sizes);
    expect(output[0]).toBeCloseTo(6, 6);
    expect(lse[0]).toBeCloseTo(Math.log(2), 6);
    const { dv } = await attentionBackwardOnGpu(Float32Array.of(1), saved);
    expect([...dv]).toEqual([0.5, 0.5]);
    const bytes = await gpuMemoryBytes();
    await attentionBackwardOnGpu(Float32Array.of(1), (await attentionOnGpu(...arrays(), sizes)).saved);
    expect(await gpuMemoryBytes()).toBe(bytes);
  });

  gpuTest("a device that is lost is an error, and the next call works", () =>
    onOwnDevice(async () => {
      const gpu = await gpuDevice();
      const call = attentionOnGpu(...arrays(), sizes);
      gpu.device.destroy();
      await expect(call).rejects.toMatchObject({
        code: "LOST",
        message: expect.stringMatching(
          /^attentionOnGpu: the GPU device must stay until the call is over, got a lost device \(.+\); call again: the next call asks for a new device$/,
        ),
      });
      expect((await attentionOnGpu(...arrays(), sizes)).output[0]).toBeCloseTo(6, 6);
    }),
  );

  gpuTest("a row that sees no key is an error where it was to be one", async () => {
    const [q, none] = [Float32Array.of(0), new Float32Array(0)];
    await expect(
      attentionOnGpu(q, none, none, { ...sizes, S: 0 }, { onEmptyRow: "error" }),
    ).rejects.toMatchObject({ code: "EMPTY_ROW" });
  });

  gpuTest("float16 is refused where the device has none", async () => {
    const bits = () => new Uint16Array(2);
    if ((await gpuDevice()).features.half) return;
    await expect(halfAttentionOnGpu(bits().slice(1), bits(), bits(), sizes)).rejects.toThrow(
      /^halfAttentionOnGpu: a device must have shader-f16 to keep numbers of float16, got none on .+; pass float32, or use halfAttention$/,
    );
  });

  gpuTest("float64 is refused", async () => {
    const doubles = arrays().map((x) => Float64Array.from(x)) as unknown as ReturnType<typeof arrays>;
    await expect(attentionOnGpu(...doubles, sizes)).rejects.toThrow(
      "attentionOnGpu: q, k and v must be Float32Array on the GPU, got Float64Array; convert them, or use attention, " +
        "which computes in float64 too",
    );
  });

  test("a device below what WebGPU promises is refused", () => {
    const limits = {
      maxStorageBuffersPerShaderStage: 4,
      maxComputeWorkgroupStorageSize: 16384,
      maxComputeInvocationsPerWorkgroup: 256,
    };
    const device = { limits, features: new Set(), lost: new Promise(() => {}) } as unknown as GPUDevice;
    expect(() => adoptDevice(device)).toThrow(
      "webgpu: a device must have maxStorageBuffersPerShaderStage of at least 8, got 4; ask the adapter for more, or use " +
        "the WebAssembly kernels",
    );
  });
});
