import "../ops/both-ways.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Adam, type AdamOptions } from "../../src/train/adam.ts";
import { numbers } from "../ops/both-ways.ts";
import { BUILDS, useBuild } from "../support/kernel-build.ts";

const SHAPES: Record<string, number[]> = { w: [5, 7], b: [3], u: [2, 3, 11] };
const sizeOf = (name: string) => tf.util.sizeFromShape(SHAPES[name]!);

/** torch.optim.Adam after torch.nn.utils.clip_grad_norm_, in float64. */
class Reference {
  readonly values: Record<string, number[]> = {};
  readonly #m: Record<string, number[]> = {};
  readonly #v: Record<string, number[]> = {};
  #t = 0;

  constructor() {
    for (const name of Object.keys(SHAPES)) {
      this.values[name] = numbers(sizeOf(name), name.charCodeAt(0));
      this.#m[name] = new Array(sizeOf(name)).fill(0);
      this.#v[name] = new Array(sizeOf(name)).fill(0);
    }
  }

  step(grads: Record<string, number[]>, rate: number, options: AdamOptions): number {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0, clipNorm = Infinity } = options;
    const norm = Math.hypot(...Object.values(grads).flat());
    const scale = Math.min(1, clipNorm / (norm + 1e-6));
    this.#t++;
    for (const [name, row] of Object.entries(grads)) {
      for (const [i, raw] of row.entries()) {
        const g = raw * scale + weightDecay * this.values[name]![i]!;
        const m = beta1 * this.#m[name]![i]! + (1 - beta1) * g;
        const v = beta2 * this.#v[name]![i]! + (1 - beta2) * g * g;
        this.#m[name]![i] = m;
        this.#v[name]![i] = v;
        const size = Math.sqrt(v) / Math.sqrt(1 - beta2 ** this.#t) + epsilon;
        this.values[name]![i]! -= ((rate / (1 - beta1 ** this.#t)) * m) / size;
      }
    }
    return norm;
  }
}

let variables: Record<string, tf.Variable> = {};

function makeVariables(): void {
  for (const name of Object.keys(SHAPES)) {
    variables[name] = tf.tidy(() =>
      tf.variable(tf.tensor(numbers(sizeOf(name), name.charCodeAt(0)), SHAPES[name])),
    );
  }
}

const gradsAt = (t: number) =>
  Object.fromEntries(
    Object.keys(SHAPES).map((name, k) => [name, numbers(sizeOf(name), 100 * t + k, 10 ** (1 - t))]),
  );

function apply(adam: Adam, t: number): number {
  const grads = Object.fromEntries(
    Object.entries(gradsAt(t)).map(([name, row]) => [name, tf.tensor(row, SHAPES[name])]),
  );
  const norm = adam.apply(grads, variables);
  tf.dispose(grads);
  return norm;
}

const valuesNow = () =>
  Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => [name, Array.from(variable.dataSync())]),
  );

function itIsAdam(): void {
  beforeEach(makeVariables);
  afterEach(() => {
    tf.dispose(variables);
    variables = {};
  });

  it.each<AdamOptions>([
    {},
    { beta2: 0.98, clipNorm: 0.5 },
    { beta1: 0, beta2: 0, weightDecay: 0.1, epsilon: 1e-3, clipNorm: 1e6 },
  ])("takes the steps of torch.optim.Adam with %o", (options) => {
    const adam = new Adam(options);
    const reference = new Reference();
    for (let t = 1; t <= 4; t++) {
      adam.learningRate = 0.1 / t;
      const norm = apply(adam, t);
      expect(norm / reference.step(gradsAt(t), 0.1 / t, options)).toBeCloseTo(1, 6);
    }
    for (const [name, row] of Object.entries(valuesNow())) {
      // Four steps of at most 0.1 each on values near 1: a dozen float32 roundings.
      for (const [i, value] of row.entries())
        expect(Math.abs(value - reference.values[name]![i]!)).toBeLessThan(2e-6);
    }
    adam.dispose();
  });

  it("resumes exactly where it stopped", () => {
    const whole = new Adam({ clipNorm: 1 });
    for (let t = 1; t <= 2; t++) apply(whole, t);
    const state = whole.state();
    const middle = valuesNow();
    apply(whole, 3);
    const expected = valuesNow();
    for (const [name, row] of Object.entries(middle))
      tf.tidy(() => variables[name]!.assign(tf.tensor(row, SHAPES[name])));
    const resumed = new Adam({ clipNorm: 1 });
    resumed.restore(state);
    expect(resumed.steps).toBe(2);
    apply(resumed, 3);
    expect(valuesNow()).toEqual(expected);
    tf.dispose(state);
    whole.dispose();
    resumed.dispose();
  });

  it("leaves everything as it was when a gradient is not finite", () => {
    const adam = new Adam();
    const before = valuesNow();
    const bad = tf.tensor1d([1, Number.NaN, 2]);
    expect(adam.apply({ b: bad }, variables)).toBeNaN();
    expect(valuesNow()).toEqual(before);
    expect(adam.steps).toBe(0);
    bad.dispose();
  });

  it.each(["m", "v"])("refuses a restored %s of another shape than the variable's", (letter) => {
    const adam = new Adam();
    const [b, m, v] = [tf.zeros([3]), tf.zeros([letter === "m" ? 2 : 3]), tf.zeros([letter === "v" ? 2 : 3])];
    adam.restore({ step: tf.scalar(1, "int32"), "m/b": m, "v/b": v });
    const before = valuesNow();
    expect(() => adam.apply({ b }, variables)).toThrow(
      `Adam.apply: the restored ${letter}/b must be float32 of shape [3], as the variable is, got float32 of shape ` +
        "[2]; restore the state of this model",
    );
    expect(valuesNow()).toEqual(before);
    adam.dispose();
    tf.dispose([b, m, v]);
  });

  it("leaves no tensor behind but two moments a variable, and none after dispose", () => {
    const before = tf.memory().numTensors;
    const adam = new Adam({ clipNorm: 1 });
    for (let t = 1; t <= 20; t++) apply(adam, t);
    expect(tf.memory().numTensors).toBe(before + 2 * Object.keys(SHAPES).length);
    adam.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
}

describe("Adam composed of TensorFlow.js ops", () => {
  beforeAll(async () => void (await tf.setBackend("cpu")));
  itIsAdam();

  it("gives the two steps worked by hand", () => {
    // p = 1, η = 0.1, gradients 2 then −1. Step 1: m̂ = 2, v̂ = 4, so p = 1 − 0.1·2/2 = 0.9.
    // Step 2: m = 0.9·0.2 − 0.1 = 0.08, m̂ = 0.08/0.19; v = 0.999·0.004 + 0.001 = 0.004996, v̂ = 0.004996/0.001999.
    const p = tf.variable(tf.scalar(1));
    const adam = new Adam({ learningRate: 0.1 });
    adam.apply({ p: tf.scalar(2) }, { p });
    expect(p.dataSync()[0]).toBeCloseTo(0.9, 6);
    adam.apply({ p: tf.scalar(-1) }, { p });
    expect(p.dataSync()[0]).toBeCloseTo(0.9 - (0.1 * (0.08 / 0.19)) / Math.sqrt(0.004996 / 0.001999), 6);
  });

  it("refuses options outside their range, gradients without a variable, and half a state", () => {
    expect(() => new Adam({ beta2: 1 })).toThrow("Adam: beta2 must be from 0 to below 1, got 1");
    expect(() => new Adam({ clipNorm: 0 })).toThrow("Adam: clipNorm must be above 0, got 0");
    expect(() => new Adam().apply({ q: tf.zeros([3]) }, variables)).toThrow(
      'Adam.apply: a gradient must have a variable, got none named "q"; name gradients as their variables are named',
    );
    expect(() => new Adam().apply({ b: tf.zeros([4]) }, { b: tf.variable(tf.zeros([3])) })).toThrow(
      'Adam.apply: the gradient "b" must be float32 of shape [3], got float32 of shape [4]; name gradients as their ' +
        "variables are named",
    );
    expect(() => new Adam().restore({ step: tf.scalar(1), "m/w": tf.zeros([3]) })).toThrow(
      "Adam.restore: state must hold step, and m/<name> with v/<name> for each variable, got m/w, step; pass what " +
        "Adam.state gave",
    );
    for (const step of [-1, 0.5, Number.NaN])
      expect(() => new Adam().restore({ step: tf.scalar(step) })).toThrow(
        `Adam.restore: step must be a whole number from 0, got ${step}; pass what Adam.state gave`,
      );
  });
});

describe.each(BUILDS)("Adam fused, %s build", (build) => {
  beforeAll(() => useBuild(build));
  itIsAdam();

  it("keeps NaN in the moments, as the composed step does", () => {
    const [p, g] = [tf.ones([7]), tf.tensor1d([1, Number.NaN, 2, 3, 4, Number.NaN, 5])];
    const numbers = { scale: 1, decay: 0, beta1: 0.9, beta2: 0.999, step: 0.1, root: 1, epsilon: 1e-8 };
    const inputs = { p, g, m: tf.zerosLike(p), v: tf.zerosLike(p) };
    const [value, m, v] = tf.engine().runKernel("HeedAdam", inputs, numbers) as unknown as tf.Tensor[];
    for (const x of [value!, m!, v!]) {
      expect([...x.dataSync()].map(Number.isNaN)).toEqual([false, true, false, false, false, true, false]);
    }
    tf.dispose([g, value!, m!, v!, ...Object.values(inputs)]);
  });

  it("flushes moments too small to matter, which would be slow forever", () => {
    const p = tf.tidy(() => tf.variable(tf.scalar(1)));
    const adam = new Adam();
    adam.apply({ p: tf.scalar(1e-37) }, { p });
    const state = adam.state();
    // 0.1 · 1e-37 is below the least normal float32, 1.18e-38.
    expect(state["m/p"]!.dataSync()[0]).toBe(0);
    adam.dispose();
    tf.dispose([p, state]);
  });
});
