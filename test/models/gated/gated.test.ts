import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { capture } from "../../../src/capture/capture.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { loadGradients } from "../../../src/host/gradients.ts";
import { useHeedBackend } from "../../../src/host/select.ts";
import {
  forecasterParameters,
  GatedBandClassifier,
  gatedBandParameters,
  VariableSelectionForecaster,
} from "../../../src/models/gated/index.ts";
import { namedGradients } from "../../../src/train/named-gradients.ts";

beforeAll(async () => {
  await loadGradients();
  await useHeedBackend();
});

const [B, T, F, V] = [2, 5, 7, 3];
const BANDS = { bands: F, taps: 3, narrow: 2, width: 4, heads: 2, classes: 11 };
const SERIES = { variables: V, window: T, narrow: 6, width: 4, heads: 2 };

function numbers(shape: number[], stream: number): Float32Array {
  const values = new Float32Array(shape.reduce((product, n) => product * n, 1));
  return new RandomStream(5, stream).fillNormal(values);
}

const read = (parameters: { variables: Readonly<Record<string, tf.Variable>> }, name: string) => {
  const { shape } = parameters.variables[name]!;
  const data = parameters.variables[name]!.dataSync();
  return { shape, at: (...index: number[]) => data[index.reduce((sum, i, n) => sum * shape[n]! + i, 0)]! };
};

/** Softmax attention over states by plain loops, with the parameters of `name`: o of query states. */
function attended(
  p: { variables: Readonly<Record<string, tf.Variable>> },
  name: string,
  queries: number[][],
  states: number[][],
): number[][] {
  const [C, H] = [4, 2];
  const map = (of: string, x: number[]) => {
    const [kernel, bias] = [read(p, `${name}/${of}/kernel`), read(p, `${name}/${of}/bias`)];
    return Array.from({ length: C }, (_, c) =>
      x.reduce((sum, v, i) => sum + v * kernel.at(i, c), bias.at(c)),
    );
  };
  const [keys, values] = [states.map((x) => map("key", x)), states.map((x) => map("value", x))];
  return queries.map((x) => {
    const q = map("query", x);
    const joined = Array.from({ length: C }, (_, c) => {
      const D = C / H;
      const from = Math.floor(c / D) * D;
      const scores = keys.map((k) => {
        let sum = 0;
        for (let d = from; d < from + D; d++) sum += q[d]! * k[d]!;
        return Math.exp(sum / Math.sqrt(D));
      });
      const total = scores.reduce((a, b) => a + b, 0);
      return scores.reduce((sum, score, s) => sum + (score / total) * values[s]![c]!, 0);
    });
    return map("output", joined);
  });
}

test("the forecaster is its formula, by plain loops", () => {
  const model = new VariableSelectionForecaster({ ...SERIES, gated: true }, 3);
  const p = model.parameters;
  const x = numbers([B, T, V], 1);
  const [output, gate] = tf.tidy(() => {
    const said = model.forecast(tf.tensor3d(x, [B, T, V]));
    return [said.output.dataSync(), said.gate.dataSync()];
  });
  const [w1, b1] = [read(p, "selection/in/kernel"), read(p, "selection/in/bias")];
  const [w2, b2] = [read(p, "selection/out/kernel"), read(p, "selection/out/bias")];
  const [w, c, time] = [read(p, "input/kernel"), read(p, "input/bias"), read(p, "time")];
  const [wo, bo] = [read(p, "output/kernel"), read(p, "output/bias")];
  for (let b = 0; b < B; b++) {
    const states = Array.from({ length: T }, (_, t) => {
      const at = Array.from({ length: V }, (_, v) => x[(b * T + t) * V + v]!);
      const hidden = Array.from({ length: 6 }, (_, m) => {
        const sum = at.reduce((total, value, v) => total + value * w1.at(v, m), b1.at(m));
        return sum > 0 ? sum : Math.exp(sum) - 1;
      });
      const logits = at.map((_, v) =>
        Math.exp(hidden.reduce((sum, value, m) => sum + value * w2.at(m, v), b2.at(v))),
      );
      const total = logits.reduce((a, z) => a + z, 0);
      for (const [v, logit] of logits.entries())
        expect(gate![(b * T + t) * V + v]).toBeCloseTo(logit / total, 5);
      return Array.from({ length: 4 }, (_, k) =>
        at.reduce(
          (sum, value, v) => sum + (logits[v]! / total) * Math.tanh(value * w.at(v, k) + c.at(v, k)),
          time.at(t, k),
        ),
      );
    });
    const last = states.at(-1)!;
    const [seen] = attended(p, "attention", [last], states);
    const wanted = last.reduce((sum, value, k) => sum + (value + seen![k]!) * wo.at(k, 0), bo.at(0));
    expect(output![b]).toBeCloseTo(wanted, 4);
  }
  model.dispose();
});

test("the classifier is its formula, by plain loops", () => {
  const model = new GatedBandClassifier({ ...BANDS, gated: true }, 4);
  const p = model.parameters;
  const x = numbers([B, T, F], 2).map(Math.abs);
  const [logits, gate] = tf.tidy(() => {
    const said = model.classify(tf.tensor3d(x, [B, T, F]));
    return [said.logits.dataSync(), said.gate.dataSync()];
  });
  const [w1, b1] = [read(p, "gate/in/kernel"), read(p, "gate/in/bias")];
  const [w2, b2] = [read(p, "gate/out/kernel"), read(p, "gate/out/bias")];
  const [w, c] = [read(p, "input/kernel"), read(p, "input/bias")];
  const [wo, bo] = [read(p, "output/kernel"), read(p, "output/bias")];
  for (let b = 0; b < B; b++) {
    const level = (f: number) => {
      const row = Array.from({ length: T }, (_, t) => x[(b * T + t) * F + f]!);
      return [row.reduce((sum, value) => sum + value, 0) / T, Math.min(...row)];
    };
    const inside = (f: number) => f >= 0 && f < F;
    const hidden = (f: number, m: number) => {
      let sum = b1.at(m);
      for (let k = 0; k < 3; k++)
        if (inside(f + k - 1)) for (let z = 0; z < 2; z++) sum += level(f + k - 1)[z]! * w1.at(0, k, z, m);
      return Math.max(0, sum);
    };
    const open = Array.from({ length: F }, (_, f) => {
      let sum = b2.at(0);
      for (let k = 0; k < 3; k++)
        if (inside(f + k - 1)) for (let m = 0; m < 2; m++) sum += hidden(f + k - 1, m) * w2.at(0, k, m, 0);
      return 1 / (1 + Math.exp(-sum));
    });
    for (const [f, value] of open.entries()) expect(gate![b * F + f]).toBeCloseTo(value, 5);
    const states = Array.from({ length: T }, (_, t) =>
      Array.from({ length: 4 }, (_, k) =>
        open.reduce((sum, value, f) => sum + value * x[(b * T + t) * F + f]! * w.at(f, k), c.at(k)),
      ),
    );
    const seen = attended(p, "time", states, states);
    for (let n = 0; n < 11; n++) {
      let sum = bo.at(n);
      for (let k = 0; k < 4; k++)
        sum += (states.reduce((total, row, t) => total + row[k]! + seen[t]![k]!, 0) / T) * wo.at(k, n);
      expect(logits![b * 11 + n]).toBeCloseTo(sum, 4);
    }
  }
  model.dispose();
});

test("without a gate everything is read alike, with the same other parameters", () => {
  const forecaster = new VariableSelectionForecaster({ ...SERIES, gated: false }, 3);
  const classifier = new GatedBandClassifier({ ...BANDS, gated: false }, 3);
  tf.tidy(() => {
    const { gate } = forecaster.forecast(tf.ones([B, T, V]));
    for (const weight of gate.dataSync()) expect(weight).toBeCloseTo(1 / V, 6);
    const { gate: open } = classifier.classify(tf.ones([B, T, F]));
    expect([...open.dataSync()]).toEqual(Array.from({ length: B * F }, () => 1));
  });
  const withGate = Object.keys(forecasterParameters({ ...SERIES, gated: true }));
  expect(withGate.filter((name) => !name.startsWith("selection/"))).toEqual(
    Object.keys(forecaster.parameters.variables),
  );
  const withBands = Object.keys(gatedBandParameters({ ...BANDS, gated: true }));
  expect(withBands.filter((name) => !name.startsWith("gate/"))).toEqual(
    Object.keys(classifier.parameters.variables),
  );
  forecaster.dispose();
  classifier.dispose();
});

test("gates are seen by a capture, beside the attention over time", () => {
  const forecaster = new VariableSelectionForecaster({ ...SERIES, gated: true }, 3);
  const classifier = new GatedBandClassifier({ ...BANDS, gated: true }, 3);
  const series = capture((x: tf.Tensor3D) => forecaster.forecast(x).output, tf.ones([B, T, V]));
  const sound = capture((x: tf.Tensor3D) => classifier.classify(x).logits, tf.ones([B, T, F]));
  const facts = ({ gates, layers }: typeof series) => [
    Object.entries(gates).map(([name, { shape }]) => [name, shape]),
    layers.map(({ H, T, S }) => [H, T, S]),
  ];
  expect(facts(series)).toEqual([[["variableSelection 0 gate", [T, V]]], [[2, 1, T]]]);
  expect(facts(sound)).toEqual([[["bandGate 0 gate", [F]]], [[2, T, T]]]);
  forecaster.dispose();
  classifier.dispose();
});

test("every parameter has a gradient, and nothing leaks", () => {
  const forecaster = new VariableSelectionForecaster({ ...SERIES, gated: true }, 3);
  const classifier = new GatedBandClassifier({ ...BANDS, gated: true }, 3);
  const [x, sound] = [tf.tensor3d(numbers([B, T, V], 1), [B, T, V]), tf.ones<tf.Rank.R3>([B, T, F])];
  const before = tf.memory().numTensors;
  for (const [variables, loss] of [
    [forecaster.parameters.variables, () => tf.sum(tf.square(forecaster.forecast(x).output))],
    [
      classifier.parameters.variables,
      () => {
        const { logits, gate } = classifier.classify(tf.mul(sound, tf.range(1, F + 1)));
        return tf.add(tf.sum(tf.square(logits)), tf.sum(gate));
      },
    ],
  ] as const) {
    const { grads } = namedGradients(variables, () => tf.tidy(() => loss() as tf.Scalar));
    expect(Object.keys(grads).sort()).toEqual(Object.keys(variables).sort());
    tf.dispose(grads);
  }
  expect(tf.memory().numTensors).toBe(before);
  tf.dispose([x, sound]);
  forecaster.dispose();
  classifier.dispose();
});

test("sizes that do not fit are refused", () => {
  const forecaster = new VariableSelectionForecaster({ ...SERIES, gated: true }, 3);
  expect(() => forecaster.forecast(tf.ones([B, T + 1, V]))).toThrow(
    "VariableSelectionForecaster.forecast: x must be float32 of shape [B, T, V] = [2, 5, 3], got float32 of shape [2, 6, 3]",
  );
  forecaster.dispose();
  expect(() => gatedBandParameters({ ...BANDS, gated: true, taps: 4 })).toThrow(
    "GatedBandClassifier: taps must be odd, got 4; use the next odd number",
  );
  expect(() => forecasterParameters({ ...SERIES, gated: true, heads: 3 })).toThrow(
    "VariableSelectionForecaster: width must be a multiple of heads = 3, got 4; choose fewer heads",
  );
});
