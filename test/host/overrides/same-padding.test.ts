/** "same" padding where the strides leave out pixels at the image's end, so that it would have to be negative. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { BACKEND } from "../../../src/host/backend.ts";
import { describeBuilds } from "../../support/kernel-build.ts";
import { expectLikeCpu, normal } from "../compare.ts";

const OPS = { conv2d: tf.conv2d, depthwiseConv2d: tf.depthwiseConv2d };
type Kind = keyof typeof OPS;

/** Every size of image, filter and stride up to 9, 3 and 4 along one axis, beside one that needs no care. */
function* settings() {
  for (let size = 1; size <= 9; size++) {
    for (let filter = 1; filter <= 3; filter++) {
      for (let stride = 1; stride <= 4; stride++) {
        for (const beside of [0, 1]) yield { size, filter, stride, beside };
      }
    }
  }
}

function run(kind: Kind, { size, filter, stride, beside }: Record<string, number>): tf.Tensor {
  const pair = <T>(a: T, b: T): [T, T] => (beside ? [b, a] : [a, b]);
  const x = normal([1, ...pair(size!, 5), 2], 1) as tf.Tensor4D;
  const w = normal([...pair(filter!, 2), 2, 2], 2) as tf.Tensor4D;
  return OPS[kind](x, w, pair(stride!, 1), "same");
}

describeBuilds("Same padding", () => {
  it.each(["conv2d", "depthwiseConv2d"] as const)("of %s is cpu's in every small setting", async (kind) => {
    await expectLikeCpu(() => [...settings()].map((setting) => run(kind, setting)), 18);
  });

  it("is right in the fused kernels too", async () => {
    await expectLikeCpu(() => {
      const x = normal([2, 3, 6, 4]) as tf.Tensor4D;
      const strides: [number, number] = [2, 4];
      const [filter, bias] = [normal([2, 1, 4, 5], 2) as tf.Tensor4D, normal([5], 3)];
      const depthwise = { x, filter: normal([1, 2, 4, 1], 4) as tf.Tensor4D, strides, pad: "same" as const };
      return [
        tf.conv2d(x, filter, 2, "same"),
        tf.conv2d(normal([1, 8, 8, 3], 5) as tf.Tensor4D, normal([3, 3, 3, 2], 6) as tf.Tensor4D, 4, "same"),
        tf.fused.conv2d({ x, filter, strides, pad: "same", bias, activation: "relu" }),
        tf.fused.depthwiseConv2d({ ...depthwise, activation: "relu6" }),
      ];
    }, 64);
  });

  it("leaves the heap as it was", async () => {
    await tf.setBackend(BACKEND);
    const before = tf.memory().numDataBuffers;
    tf.tidy(() => void run("conv2d", { size: 8, filter: 1, stride: 3, beside: 0 }));
    expect(tf.memory().numDataBuffers).toBe(before);
  });
});
