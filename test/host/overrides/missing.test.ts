/** What the stock backend lacks and `cpu` has. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { BACKEND } from "../../../src/host/backend.ts";
import { describeBuilds } from "../../support/kernel-build.ts";
import { expectLikeCpu, normal } from "../compare.ts";

it("heed has every kernel that cpu has", () => {
  const names = (backend: string) => tf.getKernelsForBackend(backend).map(({ kernelName }) => kernelName);
  expect(names(BACKEND)).toEqual(expect.arrayContaining(names("cpu")));
});

const SIZES: Record<string, number> = { b: 2, i: 3, j: 5, k: 7, l: 2 };
const operand = (letters: string, seed: number) =>
  normal(
    [...letters].map((letter) => SIZES[letter]!),
    seed,
  );

describeBuilds("einsum", () => {
  it.each([
    "ij,jk->ik",
    "bij,bjk->bik",
    "bij,kj->bki",
    "bilj,bklj->blik",
    "ijk,j->ki",
    "i,j->ij",
    "ij,ij->",
    "ij->ji",
    "ij->j",
    "ij->",
    "b,bij->ij",
    "ij,ij->ij",
  ])("of %s, and its gradients", async (equation) => {
    await expectLikeCpu(
      () => {
        const x = equation
          .split("->")[0]!
          .split(",")
          .map((letters, n) => operand(letters, n + 1));
        const f = (...given: tf.Tensor[]) => tf.einsum(equation, ...given);
        return [f(...x), ...tf.grads((...given) => tf.sum(tf.square(f(...given))))(x)];
      },
      3 * 5 * 7 * 2,
    );
  });

  it("of int32 stays int32, and leaves its operands and nothing else", async () => {
    await tf.setBackend(BACKEND);
    const [a, b] = [tf.tensor2d([1, 2, 3, 4], [2, 2], "int32"), tf.tensor2d([5, 6, 7, 8], [2, 2], "int32")];
    const before = tf.memory().numDataBuffers;
    const c = tf.einsum("ij,kj->ik", a, b);
    const same = tf.einsum("ij->ij", a);
    expect([c.dtype, ...c.dataSync()]).toEqual(["int32", 17, 23, 39, 53]);
    tf.dispose([c, same]);
    expect(tf.memory().numDataBuffers).toBe(before);
    expect([...a.dataSync()]).toEqual([1, 2, 3, 4]);
    tf.dispose([a, b]);
  });
});

describeBuilds("Complex tensors", () => {
  const z = (shape: number[], seed = 1) => tf.complex(normal(shape, seed), normal(shape, seed + 50));

  it("are made, taken apart, moved and combined", async () => {
    await expectLikeCpu(() => {
      const [a, b] = [z([3, 5]), z([3, 5], 2)];
      return [
        a,
        tf.real(a),
        tf.imag(a),
        tf.abs(a),
        tf.add(a, b),
        tf.sub(a, b),
        tf.mul(a, b),
        tf.concat([a, b], 1),
        tf.cast(a, "float32"),
        tf.cast(normal([3, 5], 9), "complex64"),
        tf.onesLike(a),
        tf.zerosLike(a),
        // The last: cpu gives the parts of a this shape too.
        tf.reshape(a, [5, 3]),
      ];
    }, 4);
  });

  it.each([1, 2, 3, 5, 7, 8, 12, 16, 31])(
    "of %i numbers have a Fourier transform and its inverse",
    async (n) => {
      await expectLikeCpu(() => [tf.fft(z([2, n])), tf.ifft(z([2, 3, n]))], 4 * n);
    },
  );

  it("come back from fft and ifft, rfft and irfft", async () => {
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      const x = normal([2, 12], 3);
      const back = tf.spectral.irfft(tf.spectral.rfft(x));
      const whole = tf.real(tf.ifft(tf.fft(tf.complex(x, tf.zerosLike(x)))));
      for (const y of [back, whole]) {
        y.dataSync().forEach((value, i) => {
          expect(value).toBeCloseTo(x.dataSync()[i]!, 5);
        });
      }
    });
  });

  it("can be read on the cpu backend's side", async () => {
    await tf.setBackend(BACKEND);
    const x = tf.complex([1, 2], [3, 4]);
    expect([...(await x.data())]).toEqual([1, 3, 2, 4]);
    x.dispose();
  });
});

describeBuilds("Kernels that run on cpu", () => {
  it("ragged tensors and regular expressions give what they give there", async () => {
    await expectLikeCpu(() => {
      const rows = tf.tensor1d([0, 2, 2, 5], "int32");
      const values = tf.tensor1d([1, 2, 3, 4, 5]);
      const { outputNestedSplits, outputDenseValues } = tf.raggedGather(
        [rows],
        values,
        tf.tensor1d([2, 0], "int32"),
        1,
      );
      const dense = tf.raggedTensorToTensor(
        tf.tensor1d([3, 4], "int32"),
        values,
        tf.scalar(-1),
        [rows],
        ["ROW_SPLITS"],
      );
      const replaced = tf.string.staticRegexReplace(tf.tensor1d(["banana"], "string"), "an", "o");
      const text = (replaced.dataSync() as unknown as string[]).join();
      return [
        ...outputNestedSplits,
        outputDenseValues,
        dense,
        tf.tensor1d([...text].map((c) => c.charCodeAt(0))),
      ];
    });
  });

  it("say what to import where there is no cpu backend", async () => {
    const factory = tf.findBackendFactory("cpu");
    tf.removeBackend("cpu");
    await tf.setBackend(BACKEND);
    try {
      const [rows, values, ids] = [tf.tensor1d([0, 1], "int32"), tf.tensor1d([1]), tf.tensor1d([0], "int32")];
      const call = () => tf.raggedGather([rows], values, ids, 1);
      expect(call).toThrow(
        'raggedGather: the backend "heed" runs RaggedGather on the "cpu" backend, which must be there, got none; import ' +
          '"@tensorflow/tfjs-backend-cpu"',
      );
    } finally {
      tf.registerBackend("cpu", factory as never);
    }
  });
});
