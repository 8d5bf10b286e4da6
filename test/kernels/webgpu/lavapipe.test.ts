/** What SwiftShader lacks, on a second software device: float16 storage, and subgroups that have whole rows of a tile. */
import { afterAll, describe, expect, test } from "vitest";
import { decodeFloat16, encodeFloat16 } from "../../../src/core/float16.ts";
import type { AttentionShapes } from "../../../src/core/notation.ts";
import { adoptDevice, deviceOf, type GpuDevice, gpuDevice } from "../../../src/kernels/webgpu/device.ts";
import { maskText } from "../../../src/kernels/webgpu/mask.ts";
import { BASE_LIMITS } from "../../../src/kernels/webgpu/pass.ts";
import { reduceText } from "../../../src/kernels/webgpu/reduce.ts";
import { halfAttentionOnGpu } from "../../../src/kernels/webgpu/run.ts";
import { runPasses } from "../../../src/kernels/webgpu/runner.ts";
import { shaderHead, THREADS, variantOf } from "../../../src/kernels/webgpu/shader.ts";
import { slicesOf } from "../../../src/kernels/webgpu/slices.ts";
import { programUniforms } from "../../../src/kernels/webgpu/uniforms.ts";
import { lavapipeAdapter } from "../../../tools/lavapipe.mjs";
import { PATIENCE_MS } from "../../support/gpu.ts";
import { type Case, firstDifference, makeCase, runReference, tolerances } from "../cases.ts";
import { runOnGpu } from "./cases.ts";

const adapter = await lavapipeAdapter();
const missing = typeof adapter === "string" ? adapter : undefined;
const there = missing === undefined ? test : test.skip;
if (missing) test.skip(`float16 and subgroups of 8: ${missing}`);

let mine: GpuDevice | undefined;
let before: GpuDevice | undefined;

/** The device, which takes the place of the process's own until this file is done. */
async function lavapipe(): Promise<GpuDevice> {
  if (mine) return mine;
  before = await gpuDevice();
  mine = adoptDevice(await deviceOf(adapter as GPUAdapter));
  return mine;
}

afterAll(() => {
  if (before) adoptDevice(before.device);
  mine?.device.destroy();
});

const SHAPES: AttentionShapes = { B: 2, T: 37, S: 67, H: 2, Hkv: 1, D: 7, Dv: 13 };

/** The case of operands rounded to float16, and their bits. */
function halved(c: Case): { rounded: Case; bits: Record<"q" | "k" | "v", Uint16Array> } {
  const bits = { q: encodeFloat16(c.q), k: encodeFloat16(c.k), v: encodeFloat16(c.v) };
  const [q, k, v] = [bits.q, bits.k, bits.v].map(decodeFloat16) as [Float32Array, Float32Array, Float32Array];
  return { rounded: { ...c, q, k, v }, bits };
}

function difference(c: Case, results: Record<string, ArrayLike<number>>): string {
  const { weights: _, ...all } = runReference(c);
  const expected = Object.fromEntries(Object.entries(all).filter(([name]) => name in results));
  return firstDifference(results, expected, tolerances(c, expected));
}

describe("attention on lavapipe", () => {
  there(
    "a subgroup has the eight threads of a row",
    async () => {
      const gpu = await lavapipe();
      const { program } = makeCase(SHAPES, {}, 1);
      const slice = slicesOf(program, "bhtd", BASE_LIMITS)[0]!;
      const variant = variantOf(program, "bhtd", slice, { subgroups: true });
      const bindings = [{ name: "lanes", access: "read_write" as const }];
      const code = `${shaderHead(variant, bindings)}${maskText(variant)}${reduceText(variant)}
@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) index: u32) {
  place(index);
  let width = laneWidth();
  let sum = rowSum(vec4f(f32(li)), width);
  lanes[li] = f32(width);
  lanes[64 + li] = sum.x;
}`;
      const uniforms = programUniforms(program, "bhtd", slice);
      const pass = { label: "lanes", code, bindings, uniforms, workgroups: [1, 1, 1] as const };
      const { lanes } = await runPasses("test", gpu, { passes: [pass], scratch: {} }, {}, { lanes: 128 });
      expect(new Set(lanes!.slice(0, 64))).toEqual(new Set([8]));
      const rows = Array.from({ length: 64 }, (_, n) => 64 * (n >> 3) + 28);
      expect(Array.from(lanes!.slice(64))).toEqual(rows);
    },
    PATIENCE_MS,
  );

  there(
    "float16 storage gives what float32 gives of the rounded numbers, forward, by subgroups",
    async () => {
      await lavapipe();
      const { rounded, bits } = halved(makeCase(SHAPES, { causal: "bottomRight", keyLengths: [61, 67] }, 2));
      const options = { causal: "bottomRight", keyLengths: [61, 67] } as const;
      const results = await halfAttentionOnGpu(bits.q, bits.k, bits.v, SHAPES, options);
      expect(difference(rounded, { output: results.output, lse: results.lse })).toBe("");
    },
    PATIENCE_MS,
  );

  there(
    "and backward",
    async () => {
      const gpu = await lavapipe();
      const given = makeCase(SHAPES, { window: { left: 20, right: 9 }, queryOffset: 5 }, 3);
      const { rounded, bits } = halved(given);
      const { subgroups } = gpu.features;
      const { results } = await runOnGpu(rounded, { half: true, subgroups, operands: bits });
      expect(difference(rounded, results)).toBe("");
    },
    PATIENCE_MS,
  );
});
