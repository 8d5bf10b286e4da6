import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { drawParameters, drawRead, drawWrite } from "../../../src/attention/glimpse/draw.ts";
import { capture } from "../../../src/capture/capture.ts";
import { useHeedBackend } from "../../../src/host/select.ts";
import { Draw, type DrawConfig } from "../../../src/models/glimpse/draw.ts";
import { glimpseView } from "../../../src/views/glimpse.ts";
import { distance, ROUNDING } from "../../attention/support.ts";
import { describeModel, images, refusal, shaken } from "./harness.ts";

const IMAGE = [7, 11, 3] as const;
const CONFIG: DrawConfig = {
  image: [IMAGE[0], IMAGE[1]],
  channels: IMAGE[2],
  steps: 3,
  read: [2, 3],
  write: [5, 2],
  encoder: 5,
  decoder: 7,
  latent: 2,
};

for (const pixels of ["bernoulli", "normal"] as const)
  describeModel(`DRAW of ${pixels} pixels`, {
    make: (start = 1) => new Draw({ ...CONFIG, pixels, deviation: 0.5 }, start),
    image: IMAGE,
    loss: (model, x) => model.loss(x, 5),
    outputs: (model, x) => {
      const steps = model.run(x, 3);
      const { read, write, divergence, patch, canvas } = steps.at(-1)!;
      const numbers = [...Object.values(read), ...Object.values(write), divergence];
      const flat = [patch, canvas, model.reconstruct(x)].map((t) => tf.reshape(t, [x.shape[0], -1]));
      return tf.concat2d([tf.stack(numbers, 1) as tf.Tensor2D, ...(flat as tf.Tensor2D[])], 1);
    },
    // Three steps of two memories, some 10 roundings each, and a sum over 231 pixels: they add up like their square root.
    ...(pixels === "bernoulli" && { roundings: 24 }),
  });

/** A model whose every parameter is 0: it writes nothing, and its latent numbers are those of the prior. */
function idle(changes: Partial<DrawConfig> = {}): Draw {
  const model = new Draw({ ...CONFIG, ...changes }, 1);
  for (const variable of Object.values(model.parameters.variables))
    tf.tidy(() => variable.assign(tf.zerosLike(variable)));
  return model;
}

describe("a DRAW that does nothing", () => {
  test("loses ln 2 a pixel, or half of the squared pixels over σ², and diverges from nothing", async () => {
    await useHeedBackend();
    const x = images(2, IMAGE);
    const squares = tf.tidy(() => tf.sum(tf.square(x)).dataSync()[0]!) / 2;
    const [bernoulli, normal] = [idle(), idle({ pixels: "normal", deviation: 0.5 })];
    const lossOf = (model: Draw) => tf.tidy(() => model.loss(x, 1).dataSync()[0]!);
    const size = IMAGE[0] * IMAGE[1] * IMAGE[2];
    expect(lossOf(bernoulli)).toBeCloseTo(size * Math.LN2, 3);
    expect(lossOf(normal)).toBeCloseTo(squares / (2 * 0.25), 3);
    tf.tidy(() => {
      for (const { canvas, divergence } of bernoulli.run(x, 1)) {
        expect(canvas.dataSync().every((c) => c === 0)).toBe(true);
        expect([...divergence.dataSync()]).toEqual([0, 0]);
      }
      expect(
        bernoulli
          .reconstruct(x)
          .dataSync()
          .every((p) => p === 0.5),
      ).toBe(true);
      expect(
        normal
          .reconstruct(x)
          .dataSync()
          .every((p) => p === 0),
      ).toBe(true);
    });
    for (const one of [bernoulli, normal, x]) one.dispose();
  });

  test("writes what its patch says where its numbers say: at 0 over the whole image, a constant", async () => {
    await useHeedBackend();
    const model = idle({ pixels: "normal", write: [7, 11], steps: 2 });
    tf.tidy(() => model.parameters.variables["patch/bias"]!.assign(tf.ones([7 * 11 * 3])));
    tf.tidy(() => {
      // F_Y of 7 Gaussians over 7 rows sums over the patch to what each row of pixels gets.
      const [first, second] = model.run(images(1, IMAGE)).map(({ canvas }) => [...canvas.dataSync()]);
      expect(
        distance(
          second!,
          first!.map((value) => 2 * value),
        ),
      ).toBeLessThan(1e-5);
      const total = first!.reduce((a, b) => a + b, 0);
      // Every Gaussian gives its whole patch pixel away: 7·11·3 ones.
      expect(total).toBeCloseTo(7 * 11 * 3, 3);
    });
    model.dispose();
  });
});

test("one seed makes up the same images, another others, and means of latent numbers draw nothing", async () => {
  await useHeedBackend();
  const model = new Draw(CONFIG, 1);
  const madeUp = (seed: number) =>
    tf.tidy(() => [...model.pixels(model.generate(2, seed).at(-1)!.canvas).dataSync()]);
  expect(madeUp(4)).toEqual(madeUp(4));
  expect(madeUp(5)).not.toEqual(madeUp(4));
  tf.tidy(() => {
    const steps = model.generate(2, 4);
    expect(steps.map(({ patch }) => patch.shape)).toEqual(Array(3).fill([2, 5, 2, 3]));
    const x = images(2, IMAGE);
    expect([...model.run(x).at(-1)!.canvas.dataSync()]).toEqual([...model.run(x).at(-1)!.canvas.dataSync()]);
    expect([...model.run(x, 1).at(-1)!.canvas.dataSync()]).not.toEqual([
      ...model.run(x, 2).at(-1)!.canvas.dataSync(),
    ]);
  });
  model.dispose();
});

test("a capture has one glimpse a step, of the image itself, and the view draws a box for each", async () => {
  await useHeedBackend();
  const model = new Draw({ ...CONFIG, channels: 1 }, 1);
  const x = images(1, [7, 11, 1]);
  const trace = capture((image: tf.Tensor4D) => model.reconstruct(image), x);
  expect(trace.glimpses!.map(({ shape }) => shape)).toEqual(Array(3).fill([6]));
  expect(trace.glimpseSizes).toEqual(Array(3).fill([2, 3]));
  expect(trace.image).toBeInstanceOf(Uint8Array);
  const svg = glimpseView.svg(trace, {});
  expect(svg.match(/<polygon/g)!.length).toBe(2 * 3);
  for (const one of [model, x]) one.dispose();
});

test("is the paper's equations: the image and what is missing of it, read as two channels, and two memories", async () => {
  await useHeedBackend();
  const model = shaken(new Draw({ ...CONFIG, channels: 1, read: [3, 3] }, 1));
  const x = images(2, [7, 11, 1]);
  tf.tidy(() => {
    const { variables } = model.parameters;
    const map = (name: string, from: tf.Tensor) => {
      const [kernel, bias] = ["kernel", "bias"].map((part) => variables[`${name}/${part}`]! as tf.Tensor);
      return tf.add(tf.matMul(from as tf.Tensor2D, kernel as tf.Tensor2D), bias!) as tf.Tensor2D;
    };
    const memory = (name: string, inputs: tf.Tensor, [h, c]: tf.Tensor[]) => {
      const [i, f, g, o] = tf.split(map(name, tf.concat([inputs, h!], 1)), 4, 1);
      const cell = tf.add(tf.mul(tf.sigmoid(f!), c!), tf.mul(tf.sigmoid(i!), tf.tanh(g!)));
      return [tf.mul(tf.sigmoid(o!), tf.tanh(cell)), cell];
    };
    let encoder: tf.Tensor[] = [tf.zeros([2, 5]), tf.zeros([2, 5])];
    let decoder: tf.Tensor[] = [tf.zeros([2, 7]), tf.zeros([2, 7])];
    let canvas: tf.Tensor = tf.zerosLike(x);
    for (const step of model.run(x)) {
      const both = tf.concat([x, tf.sub(x, tf.sigmoid(canvas))], 3) as tf.Tensor4D;
      const read = drawRead(both, drawParameters(map("read", decoder[0]!)), [3, 3]).output;
      // The model has one channel after the other, not both of each pixel.
      const seen = tf.reshape(tf.transpose(read, [0, 3, 1, 2]), [2, 18]);
      encoder = memory("encoder", tf.concat([seen, decoder[0]!], 1), encoder);
      const [mean, logDeviation] = tf.split(map("latent", encoder[0]!), 2, 1) as [tf.Tensor, tf.Tensor];
      decoder = memory("decoder", mean, decoder);
      const patch = tf.reshape(map("patch", decoder[0]!), [2, 5, 2, 1]) as tf.Tensor4D;
      canvas = tf.add(canvas, drawWrite(patch, drawParameters(map("write", decoder[0]!)), [7, 11]).output);
      const squares = tf.add(tf.square(mean), tf.square(tf.exp(logDeviation)));
      const divergence = tf.mul(tf.sum(tf.sub(squares, tf.add(tf.mul(logDeviation, 2), 1)), 1), 0.5);
      // Some 20 roundings a step of numbers up to about 4, over three steps.
      expect(distance(step.canvas.dataSync(), canvas.dataSync())).toBeLessThan(4 * 60 * ROUNDING);
      expect(distance(step.divergence.dataSync(), divergence.dataSync())).toBeLessThan(4 * 60 * ROUNDING);
    }
  });
  for (const one of [model, x]) one.dispose();
});

describe("DRAW refuses", () => {
  test.each([
    [{ steps: 0 }, "Draw: steps must be an integer ≥ 1, got 0; choose one in that range or leave it out"],
    [{ image: [7] }, "Draw: image must be two integers of 1 or more, got [7]; give rows, then columns"],
    [
      { read: [1, 1] },
      "Draw: read must be 2 or more along one axis at least, got [1,1]; choose one in that range or leave it out",
    ],
    [
      { deviation: 0 },
      "Draw: deviation must be a positive number, got 0; choose one in that range or leave it out",
    ],
    [{ pixels: "grey" }, 'Draw: pixels must be "bernoulli" or "normal", got grey; choose one of them'],
    [
      { colours: 3 },
      "Draw: every key must be one of image, channels, steps, read, write, encoder, decoder, latent, pixels, deviation, " +
        "got colours; correct the configuration",
    ],
  ])("a configuration with %j", async (changes, message) => {
    await useHeedBackend();
    expect(refusal(() => new Draw({ ...CONFIG, ...changes } as DrawConfig))).toEqual({ message, left: 0 });
  });

  test("images of another size, and counts and seeds that are none", async () => {
    await useHeedBackend();
    const model = new Draw(CONFIG, 1);
    const x = images(2, [7, 11, 1]);
    expect(refusal(() => model.run(x))).toEqual({
      message:
        "Draw.run: images must be float32 of shape [B, H, W, C] = [2, 7, 11, 3], got float32 of shape [2, 7, 11, 1]; " +
        "the letters must mean the same sizes in all of the call's tensors",
      left: 0,
    });
    expect(refusal(() => model.generate(0, 1)).message).toBe(
      "Draw.generate: count must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    );
    expect(refusal(() => model.generate(1, -1)).message).toBe(
      "Draw.generate: seed must be an integer ≥ 0, got -1; choose one in that range or leave it out",
    );
    for (const one of [model, x]) one.dispose();
  });
});
