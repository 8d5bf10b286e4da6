import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import "@tensorflow/tfjs-backend-cpu";
import "../../src/host/backend.ts";
import { loadGradients } from "../../src/host/gradients.ts";
import { linear, rmsNorm } from "../../src/ops/index.ts";
import { Adam } from "../../src/train/adam.ts";
import { namedGradients } from "../../src/train/named-gradients.ts";
import { type KernelShare, profileStep } from "../../src/train/step-profile.ts";

beforeAll(async () => {
  await loadGradients();
  await tf.setBackend("heed");
});
afterEach(() => void vi.restoreAllMocks());

/** Name, owner and calls of each kernel, in the order of the alphabet. */
const counted = (kernels: readonly KernelShare[]) =>
  kernels.map(({ name, ours, calls }) => `${calls} ${ours ? "ours" : "stock"} ${name}`).sort();

it("tells heed's kernels of a training step from the others, with their calls and shares", async () => {
  const [x, w] = [tf.ones<tf.Rank.R2>([7, 5]), tf.variable(tf.ones<tf.Rank.R2>([5, 3]))];
  const adam = new Adam();
  const before = tf.memory().numTensors;
  const profile = await profileStep(() => {
    const loss = () => tf.sum<tf.Scalar>(tf.relu(linear(rmsNorm(x), w)));
    const { grads } = namedGradients({ w }, loss);
    adam.apply(grads, { w });
    tf.dispose(grads);
  });
  // Moments are what Adam keeps.
  expect(tf.memory().numTensors).toBe(before + 2);
  const names = counted(profile.kernels);
  expect(names).toEqual(
    expect.arrayContaining([
      "1 ours HeedRmsNorm",
      "1 ours HeedLinear",
      "1 ours HeedLinearGradWeights",
      "1 ours HeedAdam",
      "1 stock Relu",
    ]),
  );
  expect(names.join()).not.toContain("HeedRmsNormGrad");
  const { kernels, ours, stock, seconds } = profile;
  expect(seconds).toBeGreaterThan(0);
  for (const kernel of kernels) expect(kernel.share).toBeCloseTo(kernel.seconds / seconds, 12);
  const sum = (isOurs: boolean) =>
    kernels.filter((kernel) => kernel.ours === isOurs).reduce((total, { share }) => total + share, 0);
  expect(ours).toBeCloseTo(sum(true), 12);
  expect(stock).toBeCloseTo(sum(false), 12);
  expect(ours + stock).toBeLessThanOrEqual(1);
  expect(Math.min(ours, stock)).toBeGreaterThan(0);
  expect(kernels.map((kernel) => kernel.seconds)).toEqual(
    kernels.map((kernel) => kernel.seconds).sort((a, b) => b - a),
  );
  adam.dispose();
  tf.dispose([x, w]);
});

it("counts what heed hands to the stock kernel, or to the cpu backend, as stock", async () => {
  const [whole, text] = [tf.tensor1d([1, 2, 3], "int32"), tf.tensor1d(["ab"])];
  const { kernels } = await profileStep(() => {
    tf.dispose([tf.add(whole, whole), tf.string.staticRegexReplace(text, "b", "c")]);
  });
  const names = counted(kernels);
  expect(names).toEqual(expect.arrayContaining(["1 ours Add", "1 stock Add"]));
  expect(names.filter((name) => name.endsWith("RegexReplace"))).toEqual([
    "1 ours StaticRegexReplace",
    "1 stock StaticRegexReplace",
  ]);
  tf.dispose([whole, text]);
});

it("reads the clock twice a kernel and twice a step, and never outside of a profile", async () => {
  const x = tf.ones([3, 5]);
  const reading = vi.spyOn(performance, "now");
  const { kernels } = await profileStep(() => tf.tidy(() => void tf.mul(tf.add(x, 1), 2)));
  const calls = kernels.reduce((sum, kernel) => sum + kernel.calls, 0);
  expect(reading).toHaveBeenCalledTimes(2 * calls + 2);
  tf.tidy(() => void tf.mul(tf.add(x, 1), 2));
  expect(reading).toHaveBeenCalledTimes(2 * calls + 2);
  x.dispose();
});

it("waits for a step that waits", async () => {
  const { kernels } = await profileStep(async () => {
    await Promise.resolve();
    tf.tidy(() => void tf.exp(tf.ones([3])));
  });
  expect(counted(kernels)).toContain("1 ours Exp");
});

it("leaves nothing behind when the step throws, at once or later, or a kernel does", async () => {
  const failures: (() => unknown)[] = [
    () => {
      throw new Error("planted");
    },
    async () => {
      await Promise.resolve();
      throw new Error("planted");
    },
  ];
  for (const step of failures) await expect(profileStep(step)).rejects.toThrow("planted");
  const [x, far] = [tf.ones([3, 5]), tf.tensor1d([9], "int32")];
  await expect(profileStep(() => tf.gather(x, far))).rejects.toThrow("gather: every index");
  const reading = vi.spyOn(performance, "now");
  tf.tidy(() => void tf.add(x, 1));
  expect(reading).not.toHaveBeenCalled();
  expect((await profileStep(() => tf.tidy(() => void tf.add(x, 1)))).ours).toBeGreaterThan(0);
  tf.dispose([x, far]);
});

it("refuses a profile within a profile, and other backends", async () => {
  const refusal =
    "profileStep: one step can be profiled at a time, got another while one runs; await the first one";
  await expect(profileStep(() => profileStep(() => {}))).rejects.toThrow(refusal);
  let inner: Promise<unknown> | undefined;
  const { kernels } = await profileStep(() => {
    inner = profileStep(() => {}).catch((error: Error) => error.message);
    tf.tidy(() => void tf.exp(tf.ones([3])));
  });
  expect(await inner).toBe(refusal);
  expect(counted(kernels)).toContain("1 ours Exp");
  await tf.setBackend("cpu");
  await expect(profileStep(() => {})).rejects.toThrow(
    'profileStep: the backend must be "heed", whose kernels are measured, got cpu; import "heed/backend" and ' +
      'await tf.setBackend("heed") first',
  );
  await tf.setBackend("heed");
});
