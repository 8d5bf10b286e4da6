import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { OptionError, type ShapeError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import {
  type LayerMemory,
  type MemoryKind,
  MemoryTransformer,
  type MemoryTransformerConfig,
} from "../../../src/models/memory/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import { expectSlopes } from "./slopes.ts";

const [B, T, V, C, H, L, F] = [2, 4, 11, 6, 2, 2, 5];
const config = (memory: MemoryKind, changes: Partial<MemoryTransformerConfig> = {}) => ({
  ...{ vocabulary: V, width: C, heads: H, layers: L, inner: F, memory },
  ...changes,
});
const COMPRESSIVE = { kind: "compressive", length: 4, compressed: 3, rate: 2, by: "convolution" } as const;
const KINDS: MemoryKind[] = [
  { kind: "none" },
  { kind: "recurrent", length: 6 },
  COMPRESSIVE,
  { ...COMPRESSIVE, by: "mean" },
  { kind: "neighbours", length: 9, neighbours: 3 },
  { kind: "persistent", slots: 3 },
];

function tokens(seed: number, length = T): tf.Tensor2D {
  const random = new RandomStream(seed);
  return tf.tensor2d(
    Int32Array.from({ length: B * length }, () => random.integer(V)),
    [B, length],
    "int32",
  );
}

/** Reads segments one after the other. */
function readAll(model: MemoryTransformer, segments: readonly tf.Tensor2D[]) {
  let memory: readonly LayerMemory[] | undefined;
  return segments.map((segment) => {
    const result = model.read(segment, memory);
    memory = result.memory;
    return result;
  });
}

/** What every layer keeps, by name and shape. */
const shapesOf = (memory: readonly LayerMemory[]) =>
  memory.map((layer) =>
    Object.fromEntries(Object.entries(layer).map(([name, x]) => [name, (x as tf.Tensor).shape])),
  );

onEveryBackend("MemoryTransformer", () => {
  it("reads with a recurrent memory of everything what it reads without segments", () => {
    const model = new MemoryTransformer(config({ kind: "recurrent", length: 99 }), 1);
    tf.tidy(() => {
      const segments = [tokens(1), tokens(2, 3), tokens(3)];
      const parts = readAll(model, segments).map(({ logits }) => logits);
      const whole = model.read(tf.concat(segments, 1)).logits;
      // Some hundred sums and products of numbers near 1, twice.
      expect(distance(tf.concat(parts, 1).dataSync(), whole.dataSync())).toBeLessThanOrEqual(1e-5);
    });
    model.dispose();
  });

  it("keeps what its kind says, and no more than its lengths", () => {
    const after = (memory: MemoryKind) => {
      const model = new MemoryTransformer(config(memory), 1);
      const kept = tf.tidy(() =>
        readAll(
          model,
          [1, 2, 3, 4].map((n) => tokens(n)),
        ).map(({ memory }) => shapesOf(memory)),
      );
      model.dispose();
      return kept.map((layers) => layers.at(-1));
    };
    expect(after({ kind: "none" })).toEqual([{}, {}, {}, {}]);
    expect(after({ kind: "persistent", slots: 3 })).toEqual([{}, {}, {}, {}]);
    expect(after({ kind: "recurrent", length: 6 })).toEqual([4, 6, 6, 6].map((M) => ({ states: [B, M, C] })));
    expect(after(COMPRESSIVE)).toEqual([
      { states: [B, 4, C] },
      ...[2, 3, 3].map((N) => ({ states: [B, 4, C], compressed: [B, N, C] })),
    ]);
    const heads = (M: number) => [B, H, M, C / H];
    expect(after({ kind: "neighbours", length: 9, neighbours: 3 })).toEqual(
      [4, 8, 9, 9].map((M) => ({ keys: heads(M), values: heads(M) })),
    );
  });

  it.each(KINDS.map((memory) => [JSON.stringify(memory), memory] as const))(
    "is causal, and its memory changes what is read next: %s",
    (_, memory) => {
      const model = new MemoryTransformer(config(memory), 1);
      tf.tidy(() => {
        const [first, second] = [tokens(1), tokens(2)];
        const after = (segments: tf.Tensor2D[]) => readAll(model, segments).at(-1)!.logits;
        const changed = tf.concat<tf.Tensor2D>(
          [tf.slice(second, [0, 0], [B, T - 1]), tf.sub(V - 1, tf.slice(second, [0, T - 1], [B, 1]))],
          1,
        );
        const before = (x: tf.Tensor) => tf.slice(x, [0, 0, 0], [B, T - 1, V]).dataSync();
        expect(before(after([first, changed]))).toEqual(before(after([first, second])));
        const alone = model.read(second).logits.dataSync();
        const keeps = memory.kind !== "none" && memory.kind !== "persistent";
        expect(distance(after([first, second]).dataSync(), alone) > 1e-4).toBe(keeps);
      });
      model.dispose();
    },
  );

  it.each(KINDS.map((memory) => [JSON.stringify(memory), memory] as const))(
    "has gradients of every parameter that agree with differences: %s",
    (_, memory) => {
      // All neighbours, so that no choice changes on the way.
      const all = memory.kind === "neighbours" ? { ...memory, neighbours: 99 } : memory;
      const model = new MemoryTransformer(config(all, { layers: 1 }), 1);
      const segments = [1, 2, 3].map((n) => tokens(n));
      // A memory that stays as it is: what a parameter does through it is not in the gradient, as in the papers.
      const kept = tf.tidy(() => {
        const [, second] = readAll(model, segments);
        return second!.memory.map((layer) => ({ ...layer }));
      });
      const ofCompression = Object.keys(model.parameters.variables).filter((name) =>
        name.includes("compress"),
      );
      expectSlopes(
        model.parameters,
        () => tf.mean(tf.square(model.read(segments[2]!, kept).logits)) as tf.Scalar,
        {
          without: ofCompression,
        },
      );
      model.dispose();
      tf.dispose([...segments, ...kept.flatMap((layer) => Object.values(layer))]);
    },
  );

  it("begins a convolution as the mean", () => {
    tf.tidy(() => {
      const segments = [1, 2, 3, 4].map((n) => tokens(n));
      const [learnt, mean] = (["convolution", "mean"] as const).map((by) => {
        const model = new MemoryTransformer(config({ ...COMPRESSIVE, by }), 1);
        const { logits, memory } = readAll(model, segments).at(-1)!;
        model.dispose();
        return [logits, memory[1]!.compressed!].map((x) => x.dataSync());
      });
      for (const [n, values] of learnt!.entries())
        expect(distance(values, mean![n]!)).toBeLessThanOrEqual(1e-5);
    });
  });

  it("trains a compression by its own loss alone, and nothing else by that", () => {
    const model = new MemoryTransformer(config(COMPRESSIVE), 1);
    tf.tidy(() => {
      const segments = [1, 2, 3].map((n) => tokens(n));
      const moved = (loss: () => tf.Tensor) => {
        const all = Object.values(model.parameters.variables);
        // Every parameter is part of the loss, so that a gradient of 0 is there to be seen.
        const touched = () => tf.addN([loss(), ...all.map((x) => tf.mul(0, tf.sum(x)))]) as tf.Scalar;
        const { grads } = tf.variableGrads(touched, all);
        const names = Object.entries(model.parameters.variables);
        return names.filter(([, x]) => grads[x.name]!.dataSync().some((d) => d !== 0)).map(([name]) => name);
      };
      const compression = moved(() => readAll(model, segments).at(-1)!.compression!);
      const expected = [0, 1].flatMap((n) => ["weight", "bias"].map((name) => `layer/${n}/compress/${name}`));
      expect(compression.toSorted()).toEqual(expected.toSorted());
      const task = moved(() => tf.sum(tf.square(readAll(model, segments).at(-1)!.logits)));
      expect(task.some((name) => name.includes("compress"))).toBe(false);
      expect(task).toContain("layer/0/key");
    });
    model.dispose();
  });

  it("leaves no tensor behind but what it returns", () => {
    for (const memory of KINDS) {
      const model = new MemoryTransformer(config(memory), 1);
      const [first, second] = [tokens(1), tokens(2)];
      const before = tf.memory().numTensors;
      const results = readAll(model, [first, second]);
      const returned = results.flatMap(({ logits, memory, compression }) => [
        logits,
        ...(compression ? [compression] : []),
        ...memory.flatMap((layer) => Object.values(layer) as tf.Tensor[]),
      ]);
      expect(tf.memory().numTensors, memory.kind).toBe(before + new Set(returned).size);
      tf.dispose([...returned, first, second]);
      model.dispose();
    }
  });
});

describe("MemoryTransformer", () => {
  const model = (memory: MemoryKind) => new MemoryTransformer(config(memory), 1);
  const refused: [string, typeof ShapeError | typeof OptionError, () => unknown, string][] = [
    [
      "a width that the heads do not divide",
      OptionError,
      () => new MemoryTransformer(config({ kind: "none" }, { heads: 4 })),
      "MemoryTransformer: width C=6 must be a multiple of heads H=4, got 6 and 4; correct the configuration",
    ],
    [
      "a memory of another kind",
      OptionError,
      () => model({ kind: "tape" } as never),
      'MemoryTransformer: memory.kind must be "none" or "recurrent" or "compressive" or "neighbours" or "persistent", got tape; choose one of them',
    ],
    [
      "a memory of nothing",
      OptionError,
      () => model({ kind: "recurrent", length: 0 }),
      "MemoryTransformer: memory.length must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    ],
    [
      "a rate that does not divide the memory",
      OptionError,
      () => model({ ...COMPRESSIVE, length: 5 }),
      "MemoryTransformer: memory.length must be a multiple of memory.rate=2, got 5; correct the configuration",
    ],
    [
      "neighbours at a layer that is not there",
      OptionError,
      () => model({ kind: "neighbours", length: 9, neighbours: 3, layer: 2 }),
      "MemoryTransformer: memory.layer must be an integer from 0 to 1, got 2; choose one in that range or leave it out",
    ],
  ];
  it.each(refused)("refuses %s", (_, type, call, message) => {
    const before = tf.memory().numTensors;
    expect(call).toThrow(type);
    expect(call).toThrow(expect.objectContaining({ message }));
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses the memory of another model, whatever is wrong with it, before anything is read", () => {
    const recurrent = model({ kind: "recurrent", length: 6 });
    const compressive = model(COMPRESSIVE);
    tf.tidy(() => {
      const states = (...shape: [number, number, number]) => [{ states: tf.zeros(shape) as tf.Tensor3D }, {}];
      const cases: [() => unknown, string][] = [
        [
          () => recurrent.read(tokens(1), [{}]),
          "MemoryTransformer.read: a memory must have 2 layers, as the model, got 1; give the memory that this model's read returned",
        ],
        [
          () => recurrent.read(tokens(1), states(B, 3, 5)),
          "MemoryTransformer.read: memory[0].states must be float32 of shape [B, M, C] = [2, 3, 6], got float32 of shape [2, 3, 5]; the letters must mean the same sizes in all of the call's tensors",
        ],
        [
          () => recurrent.read(tokens(1), states(3, 3, C)),
          "MemoryTransformer.read: memory[0].states must be float32 of shape [B, M, C] = [2, 3, 6], got float32 of shape [3, 3, 6]; the letters must mean the same sizes in all of the call's tensors",
        ],
        [
          () => compressive.read(tokens(1, 3)),
          "MemoryTransformer.read: a segment must have a multiple of memory.rate=2 tokens, got 3; cut the text into such segments",
        ],
        [
          () => recurrent.read(tf.ones([B, T])),
          "MemoryTransformer.read: tokens must be int32 of shape [B, T] = [2, 4], got float32 of shape [2, 4]; the letters must mean the same sizes in all of the call's tensors",
        ],
      ];
      const before = tf.memory().numTensors;
      for (const [call, message] of cases) {
        expect(() => tf.tidy(() => void call())).toThrow(expect.objectContaining({ message }));
      }
      expect(tf.memory().numTensors).toBe(before);
    });
    recurrent.dispose();
    compressive.dispose();
  });
});
