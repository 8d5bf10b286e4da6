import { describe, expect, it } from "vitest";
import { hasRelaxedSimd, instantiateKernels } from "../../../src/kernels/wasm/load.ts";
import { allowRelaxedSimd } from "../../../src/kernels/wasm/relaxed.ts";

allowRelaxedSimd();

const MEMORIES = {
  "a memory of its own": () => new WebAssembly.Memory({ initial: 4 }),
  "a shared memory": () => new WebAssembly.Memory({ initial: 4, maximum: 65536, shared: true }),
};

describe("The kernel modules", () => {
  it("find relaxed SIMD in this engine", () => {
    expect(hasRelaxedSimd()).toBe(true);
  });

  for (const [name, make] of Object.entries(MEMORIES)) {
    it.each(["relaxed", "plain"] as const)(`multiply on ${name} (%s kernels)`, (build) => {
      const memory = make();
      const kernels = instantiateKernels(memory, build);
      const floats = new Float32Array(memory.buffer);
      // [[1, 2], [3, 4]] · [[5], [6]] = [[17], [39]], at byte addresses 16, 48 and 64; scratch from 128.
      floats.set([1, 2, 3, 4], 4);
      floats.set([5, 6], 12);
      expect(128 + kernels.gemmScratchBytes!(1)).toBeLessThan(memory.buffer.byteLength);
      kernels.gemm!(16, 2, 1, 48, 1, 1, 64, 2, 1, 2, 128, 0);
      expect([...floats.subarray(16, 19)]).toEqual([17, 39, 0]);
      kernels.gemm!(16, 2, 1, 48, 1, 1, 64, 2, 1, 2, 128, 1);
      expect([...floats.subarray(16, 19)]).toEqual([34, 78, 0]);
    });

    it.each(["relaxed", "plain"] as const)(
      `write nothing to ${name} when they start (%s kernels)`,
      (build) => {
        const memory = make();
        const bytes = new Uint8Array(memory.buffer).fill(7);
        instantiateKernels(memory, build);
        expect(bytes.every((byte) => byte === 7)).toBe(true);
      },
    );
  }
});
