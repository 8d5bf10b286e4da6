import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  cbam,
  gatedPooling,
  learnableGate,
  selectiveKernel,
  sigmoidGate,
  squeezeExcitation,
  tripletAttention,
} from "../../src/attention/index.ts";
import { capture } from "../../src/capture/index.ts";
import { readTrace, writeTrace } from "../../src/inspect/index.ts";
import { SqueezeExcitation } from "../../src/layers/index.ts";
import { drawTrace } from "../../src/views/index.ts";
import { encodePng } from "../../src/viz/index.ts";
import { onEveryBackend } from "../attention/support.ts";

const [B, H, W, C, R] = [3, 5, 7, 11, 2];
const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, "float32", seed);
const images = () => random([B, H, W, C], 1) as tf.Tensor4D;
const narrow = () => ({ w1: random([C, R], 2) as tf.Tensor2D, w2: random([R, C], 3) as tf.Tensor2D });

onEveryBackend("capture of gates", () => {
  it("keeps the gate of one example as it was applied, and its view draws it from the file", () => {
    const [x, parameters] = [images(), narrow()];
    const trace = readTrace(
      writeTrace(capture((x: tf.Tensor4D) => squeezeExcitation(x, parameters), x, { example: 2 })),
    );
    const gate = trace.gates["squeezeExcitation 0 gate"]!;
    expect(gate.shape).toEqual([C]);
    const applied = squeezeExcitation(x, parameters).gate;
    expect([...gate.slice()]).toEqual([...tf.gather(applied, [2]).dataSync()]);
    expect(drawTrace(trace)).toContain("gate squeezeExcitation 0 gate");
  });

  it("names each gate of each call in order, with the axes that it has", () => {
    const spatial = { w: random([3, 3, 2, 1], 4) as tf.Tensor4D };
    const trace = capture((x: tf.Tensor4D) => {
      cbam(x, { channel: narrow(), spatial });
      return [
        sigmoidGate(tf.reshape(x, [B, H * W, C])),
        learnableGate(x, { w: random([C], 5) as tf.Tensor1D }),
      ];
    }, images());
    const shapes = Object.entries(trace.gates).map(([name, { shape }]) => `${name} [${shape}]`);
    expect(shapes).toEqual([
      `cbam 0 gate [${C}]`,
      `cbam 1 map [${H},${W}]`,
      `sigmoidGate 2 gate [${H * W},${C}]`,
      `learnableGate 3 gate [${C}]`,
    ]);
  });

  it("keeps the three maps of triplet attention, the shares of branches and of positions", () => {
    const filter = { w: random([3, 3, 2, 1], 6) as tf.Tensor4D };
    const trace = capture((x: tf.Tensor4D) => {
      tripletAttention(x, { hw: filter, hc: filter, wc: filter });
      const branches = [1, 3].map((side) => ({ w: random([side, side, C, C], side) as tf.Tensor4D }));
      selectiveKernel(x, {
        branches,
        w1: random([C, R], 7) as tf.Tensor2D,
        w2: random([R, 2 * C], 8) as tf.Tensor2D,
      });
      const words = tf.reshape(x, [B, H * W, C]) as tf.Tensor3D;
      return gatedPooling(words, sigmoidGate(words).gate).output;
    }, images());
    const shapes = Object.entries(trace.gates).map(([name, { shape }]) => `${name} [${shape}]`);
    expect(shapes).toEqual([
      `tripletAttention 0 hw map [${H},${W}]`,
      `tripletAttention 1 hc map [${H},${C}]`,
      `tripletAttention 2 wc map [${W},${C}]`,
      `selectiveKernel 3 weights [2,${C}]`,
      `sigmoidGate 4 gate [${H * W},${C}]`,
      `gatedPooling 5 weights [${H * W},${C}]`,
    ]);
  });

  it("hears layers too, and leaves no tensor behind", () => {
    const layer = new SqueezeExcitation({ ratio: 4 });
    const x = images();
    (layer.apply(x) as tf.Tensor).dispose();
    const before = tf.memory().numTensors;
    const trace = capture(layer, x);
    expect(Object.keys(trace.gates)).toEqual(["squeezeExcitation 0 gate"]);
    expect(tf.memory().numTensors).toBe(before);
    squeezeExcitation(x, narrow());
    expect(Object.keys(trace.gates)).toHaveLength(1);
  });

  it("refuses an example that the gate does not have, and keeps an image with its grid", () => {
    const x = images();
    expect(() => capture((x: tf.Tensor4D) => squeezeExcitation(x, narrow()), x, { example: B })).toThrow(
      "capture: example must be an integer from 0 to 2, as squeezeExcitation has B=3, got 3",
    );
    const image = encodePng({ width: W, height: H, channels: 1, data: new Uint8Array(H * W) });
    const grid = { height: H, width: W, patch: 1, cls: 0 };
    const trace = capture((x: tf.Tensor4D) => squeezeExcitation(x, narrow()), x, {
      ...{ image, grid, tokens: { patches: Array.from({ length: H * W }, (_, n) => `patch ${n}`) } },
    });
    expect([trace.image, trace.grid]).toEqual([image, grid]);
  });
});
