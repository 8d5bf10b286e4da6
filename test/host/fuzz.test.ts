/** The first programs of the campaign that `npm run fuzz -- ops` runs a hundred thousand of. */
import "@tensorflow/tfjs-backend-cpu";
import "../../src/host/backend.ts";
import "@tensorflow/tfjs-layers";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import * as ops from "../../src/ops/index.ts";
import { asCode, Checker } from "../../tools/fuzz/check.mjs";
import { countKernels } from "../../tools/fuzz/coverage.mjs";
import { internalOps } from "../../tools/fuzz/internal.mjs";
import { names, programOf } from "../../tools/fuzz/programs.mjs";

const SEED = 7;
const ROUNDS = 2;

it("programs of every kind have on heed the values and gradients that they have on cpu", async () => {
  const covered = countKernels(tf, "heed");
  const internal = await internalOps((file) => import(`../../src/ops/${file}.ts`));
  const checker = new Checker(tf, { ...ops, ...internal });
  const wrong: string[] = [];
  for (let index = 0; index < ROUNDS * names.length; index++) {
    const { name, program } = programOf(SEED, index);
    const fault = await checker.check(program, name, SEED + index);
    if (fault !== undefined)
      wrong.push(`${name}, ${fault}\n${asCode(program, `program ${index} of seed ${SEED}`)}`);
  }
  expect(wrong).toEqual([]);
  expect(checker.gradients).toBeGreaterThan(names.length);
  // A canvas to draw on is a page's; gradients of resizing are matrix products; xor is composed by TensorFlow.js; packed weights
  // are a file's blocks, which ops/packed.test.ts makes; a decoder's step is a whole model's, which its own test compares.
  const packed = ["HeedPackedHeads", "HeedPackedLinear", "HeedPackedRows", "HeedDecoderStep"];
  const idle = ["Draw", "LogicalXor", "ResizeBilinearGrad", "ResizeNearestNeighborGrad", ...packed];
  expect(covered().idle.filter((name) => !idle.includes(name))).toEqual([]);
});

it("sees a kernel that is wrong, one that writes past its output, and one that leaves tensors behind", async () => {
  const kernel = tf.getKernel("Neg", "heed");
  const right = kernel.kernelFunc;
  const checker = new Checker(tf, ops);
  const program = {
    x: [{ shape: [3], dtype: "float32", values: [1, 2, 3] }],
    call: "tf.neg(x[0])",
  };
  try {
    expect(await checker.check(program, "neg", 1)).toBeUndefined();
    kernel.kernelFunc = (call) =>
      right({ ...call, inputs: { x: { ...call.inputs.x!, shape: [2] } } as never });
    expect(await checker.check(program, "neg", 1)).toContain("forward: result 0: shape [2], cpu has [3]");
    kernel.kernelFunc = (call) => {
      const out = right(call) as tf.TensorInfo;
      const { wasm, dataIdMap } = call.backend as never as {
        wasm: { HEAPU8: Uint8Array };
        dataIdMap: { get(id: object): { memoryOffset: number } };
      };
      wasm.HEAPU8[dataIdMap.get(out.dataId).memoryOffset + 12]! += 1;
      return out;
    };
    expect(await checker.check(program, "neg", 1)).toContain(
      "1 pieces of the heap were written past their end",
    );
  } finally {
    kernel.kernelFunc = right;
  }
});
