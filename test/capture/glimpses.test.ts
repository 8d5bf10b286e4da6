import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  drawParameters,
  drawRead,
  gaussianGlimpse,
  hardCrop,
  spatialTransformer,
} from "../../src/attention/index.ts";
import { capture } from "../../src/capture/index.ts";
import { readTrace, type Trace, writeTrace } from "../../src/inspect/index.ts";
import { SpatialTransformer } from "../../src/layers/index.ts";
import { drawTrace, pageFigures } from "../../src/views/index.ts";
import { decodePng } from "../../src/viz/index.ts";
import { onEveryBackend } from "../attention/support.ts";

const [B, H, W] = [3, 13, 17];
const SIZE = [5, 7] as const;

/** Grey or coloured images of whole 255ths, which a PNG holds exactly. */
const images = (C: 1 | 3) =>
  tf.tensor4d(
    Float32Array.from({ length: B * H * W * C }, (_, n) => ((n * n * 31 + n * 7) % 256) / 255),
    [B, H, W, C],
  );
const perExample = (...numbers: number[]) => tf.tensor1d(numbers);
const gaussians = () => ({
  y: { u: perExample(1, 2, 2.5), d: perExample(1, 1, 1.5), s: perExample(1, 1, 0.7) },
  x: { u: perExample(0, 1, 3.25), d: perExample(1, 2, 1.75), s: perExample(1, 1, 1.2) },
});
const theta = () =>
  tf.tensor3d(
    [0, 1, 2].flatMap((n) => [0.5, 0.1 * n, 0.2, -0.15 * n, 0.6, -0.1]),
    [B, 2, 3],
  );
const vector = () =>
  tf.tensor2d(
    [0, 1, 2].flatMap((n) => [0.1 * n, -0.1, 0.5, -0.8, 0]),
    [B, 5],
  );

const GLIMPSES = {
  gaussianGlimpse: (x: tf.Tensor4D) => gaussianGlimpse(x, gaussians(), SIZE).output,
  drawRead: (x: tf.Tensor4D) => drawRead(x, drawParameters(vector()), SIZE).output,
  hardCrop: (x: tf.Tensor4D) => {
    const [y, left] = [tf.tensor1d([0, 1, 10], "int32"), tf.tensor1d([0, 1, 13], "int32")];
    return hardCrop(x, { y, x: left }, SIZE, { outside: "zeros" }).output;
  },
  "spatialTransformer from corner to corner": (x: tf.Tensor4D) =>
    spatialTransformer(x, theta(), SIZE, { alignCorners: true }).output,
  "spatialTransformer from edge to edge": (x: tf.Tensor4D) =>
    spatialTransformer(x, theta(), SIZE, { alignCorners: false }).output,
};

/** The pictures inside a figure, the image first. */
function picturesOf(trace: Trace): Float32Array[] {
  const svg = drawTrace(trace, { view: "glimpse" });
  return [...svg.matchAll(/data:image\/png;base64,([^"]+)/g)].map(([, code]) =>
    Float32Array.from(decodePng(new Uint8Array(Buffer.from(code!, "base64"))).values),
  );
}

onEveryBackend("capture of glimpses", () => {
  for (const [name, glimpse] of Object.entries(GLIMPSES))
    for (const C of [1, 3] as const)
      it(`draws from the file what ${name} saw of ${C === 1 ? "a grey" : "a coloured"} image`, () => {
        const x = images(C);
        const trace = readTrace(writeTrace(capture(glimpse, x, { example: 2 })));
        expect(trace.glimpseSizes).toEqual([SIZE]);
        const [image, seen] = picturesOf(trace);
        const one = (t: tf.Tensor4D) => tf.slice(t, [2, 0, 0, 0], [1, -1, -1, -1]).dataSync();
        expect([...image!]).toEqual(
          Array.from(one(x), (value) => Math.fround(Math.round(value * 255) / 255)),
        );
        const expected = one(glimpse(x));
        // A picture has whole 255ths; what is computed twice differs by some float32 roundings.
        const most = 0.5 / 255 + 1e-4;
        const farthest = seen!.reduce((far, value, n) => Math.max(far, Math.abs(value - expected[n]!)), 0);
        expect(seen!.length).toBe(expected.length);
        expect(farthest).toBeLessThan(most);
      });

  it("keeps every step in order, with attention and gates beside them, and leaves no tensor behind", () => {
    const x = images(1);
    const before = tf.memory().numTensors;
    const trace = capture((x: tf.Tensor4D) => [GLIMPSES.gaussianGlimpse(x), GLIMPSES.drawRead(x)], x);
    expect(tf.memory().numTensors).toBe(before);
    expect(trace.glimpses.map(({ shape }) => shape)).toEqual([[6], [6]]);
    expect(Array.from(trace.glimpses[0]!.slice())).toEqual([1, 1, 1, 0, 1, 1]);
    const captions = pageFigures(trace).map(({ caption }) => caption);
    expect(captions.filter((caption) => /rows|column/.test(caption))).toHaveLength(2);
  });

  it("hears layers, prefers the image that it is given, and goes without one that is no picture", () => {
    const layer = new SpatialTransformer({ height: 5, width: 7, alignCorners: true });
    const x = images(1);
    const trace = capture((x: tf.Tensor4D) => layer.apply([x, tf.zeros([B, 4])]), x);
    expect(trace.glimpses[0]!.shape).toEqual([2, 3]);
    const other = capture(GLIMPSES.hardCrop, x, { image: trace.image!.slice(), example: 1 });
    expect(other.image).toEqual(trace.image);
    expect(capture(GLIMPSES.hardCrop, tf.mul<tf.Tensor4D>(x, 2)).image).toBeUndefined();
    expect(() => capture(GLIMPSES.hardCrop, x, { example: B })).toThrow(
      "capture: example must be an integer from 0 to 2, as hardCrop has B=3, got 3",
    );
  });
});
