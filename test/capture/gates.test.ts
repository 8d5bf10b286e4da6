import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { cbam, learnableGate, sigmoidGate, squeezeExcitation } from "../../src/attention/index.ts";
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
