/** What is planned, without a device: what a device binds and has room for, and how much scratch there is. */
import { describe, expect, test } from "vitest";
import { compileModified, type ModifiedOptions } from "../../../src/core/modified-program.ts";
import type { AttentionShapes, HostArray } from "../../../src/core/notation.ts";
import { backwardPasses } from "../../../src/kernels/webgpu/backward.ts";
import { forwardPasses } from "../../../src/kernels/webgpu/forward.ts";
import { BASE_LIMITS, type PassPlan } from "../../../src/kernels/webgpu/pass.ts";
import { floats, holes } from "../cases.ts";
import { CLASSICS } from "../modification-cases.ts";

const plans = (shapes: AttentionShapes, options: ModifiedOptions<HostArray>, limits = BASE_LIMITS) => {
  const program = compileModified("attention", shapes, options);
  return [
    forwardPasses(program, "bhtd", { limits }),
    backwardPasses(program, "bhtd", { limits, dlse: true }),
  ];
};
const passesOf = (all: readonly PassPlan[]) => all.flatMap(({ passes }) => passes);

const SMALL: AttentionShapes = { B: 2, T: 37, S: 67, H: 6, Hkv: 2, D: 35, Dv: 9 };

describe("plans of passes", () => {
  test("every option at once needs no more than every device has", () => {
    const { B, H, T, S } = SMALL;
    const options: ModifiedOptions<HostArray> = {
      bias: floats(1, [1, H, T, S]),
      allow: holes(2, [B, 1, T, S]),
      sink: floats(3, [H]),
      softCap: 2,
      dropout: { rate: 0.5, seed: 1 },
      training: true,
      onEmptyRow: "uniform",
      ...CLASSICS.learnedAlibi!(SMALL),
    };
    const passes = passesOf(plans(SMALL, options));
    expect(passes.map(({ label }) => label.replace("attention ", ""))).toEqual([
      ...["tensors, copied", "sink, copied", "forward"],
      ...["tensors, copied", "rows", "dk", "dv", "dq", "dbias", "dsink", "dtensors", "dtensors, heads"],
    ]);
    for (const { bindings, uniforms, workgroups, code } of passes) {
      expect(bindings.length).toBeLessThanOrEqual(8);
      expect(uniforms.byteLength % 16).toBe(0);
      expect(Math.max(...workgroups)).toBeLessThanOrEqual(65535);
      // Workgroup memory: arrays of vec4f, and a few words.
      const arrays = [...code.matchAll(/var<workgroup> \w+: array<(vec4f|f32), (\d+)>/g)];
      const bytes = arrays.reduce((sum, [, type, n]) => sum + (type === "f32" ? 4 : 16) * Number(n), 16);
      expect(bytes).toBeLessThanOrEqual(BASE_LIMITS.maxComputeWorkgroupStorageSize);
    }
  });

  test("65,536 positions of 64 heads run within bindings of 256 MiB, with scratch of O(T)", () => {
    const shapes = { B: 1, T: 65536, S: 65536, H: 64, Hkv: 64, D: 64, Dv: 64 };
    const limits = { ...BASE_LIMITS, maxStorageBufferBindingSize: 256 * 2 ** 20 };
    const all = plans(shapes, { causal: true }, limits);
    for (const { bindings } of passesOf(all)) {
      for (const { name, offset, size } of bindings.filter(({ name }) => /^d?[qkv]$|out/.test(name))) {
        expect(size, name).toBeLessThanOrEqual(limits.maxStorageBufferBindingSize);
        expect(offset! % 256, name).toBe(0);
      }
    }
    const scratch = all.flatMap((plan) => Object.values(plan.scratch)).reduce((sum, n) => sum + n, 0);
    // A matrix of weights would have 2³² numbers a head.
    expect(scratch).toBe(16 * shapes.H * shapes.T);
  });

  test("equal options of other sizes share their shaders", () => {
    const one = passesOf(plans({ ...SMALL, D: 32, Dv: 32 }, { causal: "topLeft" }));
    const other = passesOf(
      plans({ ...SMALL, B: 3, T: 5, S: 9, D: 8, Dv: 16 }, { window: { left: 3 }, queryOffset: 2 }),
    );
    expect(other.map(({ code }) => code)).toEqual(one.map(({ code }) => code));
  });

  test("empty calls have nothing to run, and gradients of what is there are zeros", () => {
    const none = plans({ ...SMALL, T: 0 }, {});
    expect(none[0]!.passes).toEqual([]);
    expect(none[1]!.passes.map(({ label }) => label)).toEqual(["attention dk, dv"]);
    expect(passesOf(plans({ ...SMALL, S: 0 }, {})).map(({ label }) => label)).toEqual([
      ...["attention forward", "attention rows", "attention dq"],
    ]);
  });

  test("a head that is larger than a binding is refused in one sentence", () => {
    const limits = { ...BASE_LIMITS, maxStorageBufferBindingSize: 4096 };
    expect(() => plans(SMALL, {}, limits)).toThrow(
      "attention: q of one head must fit in what this device binds at once, 4096 bytes, got 62160 bytes of all heads; " +
        'use layout "bhtd", shorter sequences, or a mask that is made of lengths, causality and a window',
    );
  });
});
