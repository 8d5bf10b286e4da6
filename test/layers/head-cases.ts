/** What every layer of heads must do, as tests: the section `heads` of a layer's case. */
import * as tf from "@tensorflow/tfjs-core";
import type { layers } from "@tensorflow/tfjs-layers";
import { expect, it } from "vitest";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import { distance, random, tensor } from "../attention/support.ts";

/** The options that layers of heads share, wherever the mechanism can have them. */
export const HEAD_OPTIONS = ["useCausalMask", "numKeyValueHeads", "valueDim", "dropout"] as const;
export type HeadOption = (typeof HEAD_OPTIONS)[number];

export interface HeadCase {
  /** Those that it has. */
  readonly options: readonly HeadOption[];
  /** Which positions a mask may hide: any, or the last ones of an example alone. @default "any" */
  readonly hides?: "any" | "last";
  /** Position i never sees later ones. @default false */
  readonly alwaysCausal?: boolean;
  /** Whether heads that share keys are heads whose weights of keys are equal. @default true */
  readonly repeats?: boolean;
  /** Whether there are queries that a mask can hide. @default true */
  readonly asks?: boolean;
}

interface HeadSetting {
  readonly title: string;
  readonly name: string;
  readonly fields: object;
  readonly args: object;
  readonly inputs: readonly number[][];
  readonly heads: HeadCase;
  make(extra?: object): layers.Layer;
}

// float32 sums of some dozens of products near 1, in another order.
const ROUNDING = 1e-5;

const one = <T>(list: readonly T[]): T | T[] => (list.length === 1 ? list[0]! : [...list]);
const filled = (shapes: readonly number[][], seed: number) =>
  shapes.map((shape, at) => tensor(random(seed + at, [2, ...shape])));

/** Tests of one layer of heads; the first input asks, the second is read, or the first where it is alone. */
export function headCases({ title, name, fields, args, inputs: shapes, heads, make }: HeadSetting): void {
  const { options, hides = "any", alwaysCausal = false, repeats = true, asks = true } = heads;
  const has = (option: HeadOption) => options.includes(option);
  const isSelf = shapes.length === 1;
  const [T] = shapes[0]! as [number];
  /** A mask of n positions of two examples: the first whole, the second without its last two, and with a hole. */
  const padding = (n: number, holes = hides === "any") =>
    tf.tensor2d(
      Array.from({ length: 2 * n }, (_, e) => (e < n || (e < 2 * n - 2 && !(holes && e === n)) ? 1 : 0)),
      [2, n],
      "bool",
    );
  const masksOf = (mask: (n: number) => tf.Tensor2D) =>
    shapes.map(([n], at) => {
      if (at === 0 && !(asks || isSelf)) return null;
      // The mask of keys, where there is one, hides others than that of values.
      return at === 2 ? tf.reverse(mask(n!), 0) : mask(n!);
    });
  const run = (layer: layers.Layer, x: readonly tf.Tensor[], mask?: readonly (tf.Tensor | null)[]) => {
    const given = mask ? { mask: one(mask) } : {};
    return [layer.apply(one(x), given as never)].flat()[0] as tf.Tensor;
  };
  const bias = "biasInitializer" in fields ? { biasInitializer: "randomNormal" } : {};
  const biased = (extra = {}) => make({ ...bias, ...extra });
  const named = (layer: layers.Layer, ending: string) =>
    layer.weights.find((weight) => weight.originalName.endsWith(ending))?.read();
  /** Rows of the output, and the bias of its projection as many times; 0 where there is none. */
  const expectBias = (layer: layers.Layer, output: tf.Tensor, rows: readonly number[]) => {
    const width = output.shape.at(-1)!;
    const expected = [...(named(layer, "attention_output/bias")?.dataSync() ?? new Float32Array(width))];
    const flat = tf.reshape(output, [-1, width]);
    for (const row of rows) expect([...tf.slice(flat, [row, 0], [1, width]).dataSync()]).toEqual(expected);
  };

  it(`${title}: has the options of layers of heads that its mechanism can have`, () => {
    expect(HEAD_OPTIONS.filter((option) => option in fields)).toEqual(
      HEAD_OPTIONS.filter((option) => has(option)),
    );
    expect(Object.keys(fields)).not.toContain("causal");
  });

  if (asks) {
    it(`${title}: gives a hidden query 0 from every head, hence the output's bias`, () => {
      tf.tidy(() => {
        const layer = biased();
        const mask = padding(T);
        const masks = isSelf ? [mask] : [mask, ...shapes.slice(1).map(() => null)];
        const output = run(layer, filled(shapes, 3), masks);
        const hidden = [...mask.dataSync()].flatMap((there, row) => (there ? [] : [row]));
        expect(hidden.length).toBe(hides === "any" ? 3 : 2);
        expectBias(layer, output, hidden);
      });
    });
  }

  it(`${title}: gives a query that sees nothing 0 from every head`, () => {
    tf.tidy(() => {
      const layer = biased();
      const nothing = (n: number) =>
        tf.tensor2d(
          Array.from({ length: 2 * n }, (_, e) => (e < n ? 1 : 0)),
          [2, n],
          "bool",
        );
      const masks = shapes.map(([n], at) => (at === 0 && !isSelf ? null : nothing(n!)));
      const output = run(layer, filled(shapes, 3), masks);
      const rows = output.size / output.shape.at(-1)! / 2;
      expectBias(
        layer,
        output,
        Array.from({ length: rows }, (_, row) => rows + row),
      );
    });
  });

  it(`${title}: lets NaN in hidden places reach neither outputs nor gradients`, () => {
    tf.tidy(() => {
      const layer = make({ seed: 3 });
      const masks = masksOf(padding);
      const clean = filled(shapes, 5);
      const dirty = clean.map((x, at) => {
        const mask = masks[at];
        return mask ? tf.where(tf.expandDims(mask, 2), x, Number.NaN) : x;
      });
      run(layer, clean);
      const weights = layer.trainableWeights.map((weight) => weight.read() as tf.Variable);
      const read = (x: readonly tf.Tensor[]) => {
        const call = { mask: one(masks), training: true };
        const loss = () => tf.sum(tf.square(layer.apply(one(x), call as never) as tf.Tensor)) as tf.Scalar;
        // What is drawn in training is drawn from the step.
        (layer as unknown as { step: number }).step = 0;
        const { grads } = tf.variableGrads(loss, weights);
        return [run(layer, x, masks), ...weights.map(({ name }) => grads[name]!)].map((t) => [
          ...t.dataSync(),
        ]);
      };
      const expected = read(clean);
      expect(expected.flat().every(Number.isFinite)).toBe(true);
      expect(read(dirty)).toEqual(expected);
    });
  });

  if (hides === "last") {
    it(`${title}: refuses a mask that hides a position before others`, () => {
      const attempt = () =>
        run(
          make(),
          filled(shapes, 3),
          masksOf((n) => padding(n, true)),
        );
      const message =
        `${name}: its mask must hide the last positions of an example alone, got position 0 of example 1 hidden before ` +
        "one that is not; pad at the end";
      expect(attempt).toThrow(OptionError);
      expect(attempt).toThrow(expect.objectContaining({ code: "MASK", message }));
    });
  }

  if (has("numKeyValueHeads")) {
    const { numHeads, numQueryHeads = numHeads } = args as { numHeads?: number; numQueryHeads?: number };
    const H = numQueryHeads!;

    it(`${title}: shares one head of keys and values among all query heads`, () => {
      tf.tidy(() => {
        const [shared, full] = [1, H].map((numKeyValueHeads) => biased({ numKeyValueHeads, seed: 4 }));
        const x = filled(shapes, 7);
        const output = run(shared!, x);
        run(full!, x);
        const [few, many] = [shared!.getWeights(), full!.getWeights()];
        expect(few.map(({ shape }) => shape)).not.toEqual(many.map(({ shape }) => shape));
        if (!repeats) return;
        const repeated = few.map((weight, at) => {
          const reps = many[at]!.shape.map((n, axis) => n / weight.shape[axis]!);
          return reps.every((n) => n === 1) ? weight : tf.tile(weight, reps);
        });
        full!.setWeights(repeated);
        expect(distance(output.dataSync(), run(full!, x).dataSync())).toBeLessThanOrEqual(ROUNDING);
      });
    });

    it(`${title}: refuses heads of keys that do not share evenly`, () => {
      const attempt = () => make({ numKeyValueHeads: H + 1 });
      expect(attempt).toThrow(ShapeError);
      expect(attempt).toThrow(
        `${name}: query heads H=${H} must be a multiple of key/value heads Hkv=${H + 1}, got ${H} and ${H + 1}; choose numKeyValueHeads `,
      );
    });
  }

  if (has("valueDim")) {
    it(`${title}: has values of a width of their own`, () => {
      tf.tidy(() => {
        const layer = make({ valueDim: 5 });
        const output = run(layer, filled(shapes, 7));
        expect(named(layer, "value/kernel")!.shape.at(-1)).toBe(5);
        expect(named(layer, "attention_output/kernel")!.shape[1]).toBe(5);
        expect(output.shape).toEqual(run(make(), filled(shapes, 7)).shape);
      });
    });
  }

  if (has("dropout")) {
    it(`${title}: drops weights in training alone, the same for the same seed`, () => {
      tf.tidy(() => {
        const x = filled(shapes, 9);
        const outputs = (dropout: number) => {
          const layer = make({ dropout, seed: 6 });
          return [false, true].map((training) => [
            ...([layer.apply(one(x), { training })].flat()[0] as tf.Tensor).dataSync(),
          ]);
        };
        const [[still, dropped], [same, none]] = [outputs(0.5), outputs(0)] as const;
        expect(dropped).not.toEqual(still);
        expect(distance(same!, still!)).toBe(0);
        // A step of training may be computed in another order.
        expect(distance(none!, still!)).toBeLessThanOrEqual(ROUNDING);
        expect(outputs(0.5)[1]).toEqual(dropped);
      });
    });
  }

  if (has("useCausalMask") || alwaysCausal) {
    it(`${title}: sees nothing later where it is causal`, () => {
      tf.tidy(() => {
        const [x] = filled([shapes[0]!], 11) as [tf.Tensor3D];
        const C = x.shape[2];
        const later = tf.concat([tf.slice(x, [0, 0, 0], [2, T - 1, C]), tf.fill([2, 1, C], 9)], 1);
        const change = (extra: object) => {
          const layer = make({ seed: 8, ...extra });
          const [before, after] = [run(layer, [x]), run(layer, [later])].map((output) =>
            tf.slice(output, [0, 0, 0], [2, T - 1, output.shape[2]!]).dataSync(),
          );
          return distance(before!, after!);
        };
        expect(change(has("useCausalMask") ? { useCausalMask: true } : {})).toBeLessThanOrEqual(ROUNDING);
        if (!alwaysCausal) expect(change({ useCausalMask: false })).toBeGreaterThan(100 * ROUNDING);
      });
    });
  }
}
