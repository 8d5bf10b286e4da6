import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { Spikformer } from "../../src/models/spikformer.ts";
import { spikes } from "../attention/spiking/spikes.ts";
import { onEveryBackend } from "../attention/support.ts";

const SIZES = { patches: 5, events: 17, width: 26, heads: 2, inner: 11, layers: 2, classes: 3 };
const [N, B] = [7, 2];
const events = (seed = 1) => spikes<tf.Tensor4D>(seed, [N, B, SIZES.patches, SIZES.events], 0.4);

onEveryBackend("Spikformer", () => {
  it("gives a score for each class, the same from a seed and from the values of its parameters", () => {
    tf.tidy(() => {
      const model = new Spikformer(SIZES, 3);
      const values = Object.fromEntries(
        Object.entries(model.parameters.variables).map(([name, one]) => [
          name,
          one.dataSync() as Float32Array,
        ]),
      );
      const again = new Spikformer(SIZES, values);
      const logits = model.logits(events());
      expect(logits.shape).toEqual([B, 3]);
      expect(again.logits(events()).dataSync()).toEqual(logits.dataSync());
      const { patches: T, events: E, width: C, inner: I, layers, classes } = SIZES;
      const layer = 4 * (C * C + C) + C * I + I + I * C + C;
      expect(model.parameters.size).toBe(E * C + T * C + layers * layer + C * classes + classes);
      model.dispose();
      again.dispose();
    });
  });

  it("multiplies with spikes alone: what attention is given of each layer is 0 or 1", () => {
    const model = new Spikformer(SIZES, 3);
    const seen: number[] = [];
    const x = events();
    const before = tf.memory().numTensors;
    const logits = model.logits(x, {
      onSpikes: (layer, projected) => {
        seen.push(layer);
        for (const one of Object.values(projected))
          expect([...one.dataSync()].every((value) => value === 0 || value === 1)).toBe(true);
      },
    });
    expect(seen).toEqual([0, 1]);
    expect(tf.memory().numTensors).toBe(before + 1);
    tf.dispose([logits, x]);
    model.dispose();
  });

  it("has a gradient for every parameter, by the surrogate", () => {
    tf.tidy(() => {
      const model = new Spikformer(SIZES, 3);
      const { grads } = tf.variableGrads(() => tf.sum(tf.square(model.logits(events()))));
      for (const variable of Object.values(model.parameters.variables)) {
        const gradient = grads[variable.name]!.dataSync();
        expect(gradient.every(Number.isFinite)).toBe(true);
        expect(gradient.some((value) => value !== 0)).toBe(true);
      }
      model.dispose();
    });
  });

  it("lets a patch that sees itself alone read nothing of the others", () => {
    tf.tidy(() => {
      const model = new Spikformer(SIZES, 3);
      const allow = tf.cast(tf.eye(SIZES.patches), "bool");
      // The last layer's values of patch 0 follow from what patch 0 knows.
      const last = (x: tf.Tensor4D, sight: object) => {
        let values: number[] = [];
        const onSpikes = (_: number, { v }: { v: tf.Tensor4D }) => {
          values = [...tf.slice(v, 0, [N * B, 2, 1, 13]).dataSync()];
        };
        model.logits(x, { ...sight, onSpikes });
        return values;
      };
      const [x, other] = [events(1), events(2)];
      const own = tf.slice(x, 0, [N, B, 1, 17]);
      const changed = tf.concat([own, tf.slice(other, [0, 0, 1, 0], [N, B, 4, 17])], 2) as tf.Tensor4D;
      expect(last(changed, { allow })).toEqual(last(x, { allow }));
      expect(last(changed, {})).not.toEqual(last(x, {}));
      model.dispose();
    });
  });

  it.each([
    [
      { ...SIZES, heads: 3 },
      "Spikformer: width must be a multiple of heads, got width=26 and heads=3; make each head as wide",
    ],
    [
      { ...SIZES, layers: 0 },
      "Spikformer: layers must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    ],
    [
      { ...SIZES, tau: 0 },
      "Spikformer: tau must be a number ≥ 1, got 0; choose one in that range or leave it out",
    ],
  ])("refuses %j", (config, message) => {
    const before = tf.memory().numTensors;
    expect(() => new Spikformer(config, 1)).toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses streams of another sensor, and events that are none, before anything runs", () => {
    const model = new Spikformer(SIZES, 1);
    const attempt = (x: tf.Tensor) => () => tf.tidy(() => model.logits(x as tf.Tensor4D));
    expect(attempt(tf.zeros([N, B, 4, 17]))).toThrow(
      "Spikformer: x must be float32 of shape [N, B, T, E] = [7, 2, 5, 17], got float32 of shape [7, 2, 4, 17]; the letters must mean the same sizes in all of the call's tensors",
    );
    expect(attempt(tf.fill([N, B, 5, 17], 0.5))).toThrow(
      "Spikformer: x must hold spikes, 0 or 1 everywhere, got 0.5 at element 0; pass currents through leakyIntegrateAndFire first",
    );
    model.dispose();
  });
});
