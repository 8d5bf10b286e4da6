/** `scoreMod` and `maskMod` in shaders against the oracle, and the gradients of what they read. */
import { describe, expect, test } from "vitest";
import { compileModified } from "../../../src/core/modified-program.ts";
import { backwardPasses } from "../../../src/kernels/webgpu/backward.ts";
import { capturedPasses } from "../../../src/kernels/webgpu/captured.ts";
import { gpuDevice } from "../../../src/kernels/webgpu/device.ts";
import { forwardPasses } from "../../../src/kernels/webgpu/forward.ts";
import { tensorValues } from "../../../src/kernels/webgpu/modification.ts";
import { runPasses } from "../../../src/kernels/webgpu/runner.ts";
import { gpuTest } from "../../support/gpu.ts";
import { firstDifference, makeCase, runReference, tolerances } from "../cases.ts";
import { CLASSICS } from "../modification-cases.ts";
import { runOnGpu } from "./cases.ts";

const SHAPES = { B: 2, H: 4, Hkv: 2, T: 53, S: 101, D: 7, Dv: 11 };
/** A software device takes seconds for each; HEED_CLASSICS=all runs them all. attention.test.ts has `mixed` with all else. */
const NAMES = process.env.HEED_CLASSICS === "all" ? Object.keys(CLASSICS) : [];

describe("functions of scores on WebGPU", () => {
  for (const name of NAMES) {
    gpuTest(`${name} is that of the oracle`, async () => {
      const c = makeCase(SHAPES, CLASSICS[name]!(SHAPES), 7);
      const { weights: _, ...expected } = runReference(c);
      const { results } = await runOnGpu(c);
      expect(firstDifference(results, expected, tolerances(c, expected))).toBe("");
    });
  }

  test("captured tensors share one buffer, and each has its gradient", () => {
    const program = compileModified("attention", SHAPES, CLASSICS.mixed!(SHAPES));
    const forward = forwardPasses(program, "bhtd").passes;
    expect(forward[0]!.bindings.map(({ name }) => name)).toEqual(["q", "k", "v", "tensors", "out", "lse"]);
    const written = backwardPasses(program, "bhtd")
      .passes.flatMap(({ bindings }) => bindings)
      .filter(({ access, name }) => access === "read_write" && name.startsWith("d"))
      .map(({ name }) => name);
    expect(written).toEqual(["dk", "dv", "dq", "dtensor0", "dtensor1", "dtensor2"]);
  });

  gpuTest("tensors on the device are put into the one buffer", async () => {
    const { modification } = makeCase(SHAPES, CLASSICS.t5!(SHAPES), 1).program;
    const { passes, count } = capturedPasses(modification!);
    const arrays = Object.values(modification!.tensors).map(({ values }, n) => [`captured${n}`, values]);
    const inputs = Object.fromEntries(arrays) as Record<string, Int32Array | Float32Array>;
    const made = await runPasses("test", await gpuDevice(), { passes, scratch: {} }, inputs, {
      tensors: count,
    });
    expect(made.tensors).toEqual(tensorValues(modification));
  });

  test("equal functions are one shader, others are not", () => {
    const codeOf = (name: string) => {
      const program = compileModified("attention", SHAPES, CLASSICS[name]!(SHAPES));
      return forwardPasses(program, "bhtd").passes[0]!.code;
    };
    expect(codeOf("learnedAlibi")).toBe(codeOf("learnedAlibi"));
    expect(codeOf("learnedAlibi")).not.toBe(codeOf("temperature"));
  });
});
