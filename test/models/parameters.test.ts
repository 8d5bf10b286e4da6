import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import { useHeedBackend } from "../../src/host/select.ts";
import { Parameters } from "../../src/models/parameters.ts";
import { generate, gpt2, Transformer } from "../../src/models/transformer/index.ts";
import { exportOnnx } from "../../src/onnx/index.ts";

beforeAll(async () => void (await useHeedBackend()));

/** Mean and variance, in standard errors from what they should be; `kurtosis` is E x⁴ / (E x²)². */
function apart(
  values: ArrayLike<number>,
  variance: number,
  kurtosis: number,
): [mean: number, variance: number] {
  const n = values.length;
  const mean = Array.from(values).reduce((a, b) => a + b, 0) / n;
  const found = Array.from(values).reduce((sum, x) => sum + (x - mean) ** 2, 0) / n;
  return [mean / Math.sqrt(variance / n), (found - variance) / (variance * Math.sqrt((kurtosis - 1) / n))];
}

it("start with the variance that their name says: 2 / (in + out) for Glorot, a square for normal", () => {
  const specs = {
    narrow: { shape: [31, 211], start: "glorot" },
    wide: { shape: [307, 53], start: "glorot" },
    table: { shape: [97, 89], start: { normal: 0.02 } },
  } as const;
  const { variables } = Parameters.start("test", specs, 5);
  const values = (name: keyof typeof specs) => variables[name]!.dataSync();
  const figures = [
    // A uniform distribution has kurtosis 9/5, a normal one 3.
    ...apart(values("narrow"), 2 / (31 + 211), 9 / 5),
    ...apart(values("wide"), 2 / (307 + 53), 9 / 5),
    ...apart(values("table"), 0.02 ** 2, 3),
  ];
  expect(figures.every((z) => Math.abs(z) < 4)).toBe(true);
  const limit = Math.sqrt(6 / (31 + 211));
  expect(values("narrow").every((x: number) => Math.abs(x) <= limit)).toBe(true);
  for (const variable of Object.values(variables)) variable.dispose();
});

it("start with a number on the diagonal of each matrix", () => {
  const { variables } = Parameters.start("test", { w: { shape: [2, 2, 3], start: { diagonal: 0.5 } } }, 5);
  expect(variables.w!.arraySync()).toEqual([
    [
      [0.5, 0, 0],
      [0, 0.5, 0],
    ],
    [
      [0.5, 0, 0],
      [0, 0.5, 0],
    ],
  ]);
  variables.w!.dispose();
});

it("of a Transformer start alike on every backend for a seed, and otherwise for another", async () => {
  const config = gpt2({ layers: 2, width: 12, heads: 3, vocabulary: 17, positions: 5 });
  const bits = async (backend: string, seed: number) => {
    await tf.setBackend(backend);
    const model = new Transformer(config, seed);
    const entries = Object.entries(model.parameters.variables).map(([name, x]) => [name, [...x.dataSync()]]);
    model.dispose();
    return entries;
  };
  const first = await bits("heed", 3);
  expect(await bits("cpu", 3)).toEqual(first);
  expect(await bits("heed", 4)).not.toEqual(first);
});

it("of a model that was disposed are refused in one sentence, whatever is asked of it", () => {
  const model = new Transformer(gpt2({ layers: 1, width: 6, heads: 2, vocabulary: 5, positions: 3 }), 1);
  const tokens = tf.tensor2d([[1, 2, 3]], [1, 3], "int32");
  const before = tf.memory().numTensors;
  model.dispose();
  model.dispose();
  const left = tf.memory().numTensors;
  expect(left).toBeLessThan(before);
  const message =
    "Parameters: a model must be used before its dispose(), got one that is disposed; load or make it again, or " +
    "dispose it later";
  for (const attempt of [
    () => model.decode({ tokens }),
    () => generate(model, [[1]], { maxTokens: 1 }),
    () => exportOnnx(model),
  ]) {
    expect(attempt).toThrow(expect.objectContaining({ code: "NOT_READY", message }));
  }
  expect(tf.memory().numTensors).toBe(left);
  tokens.dispose();
});
