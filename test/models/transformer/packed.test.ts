/** Loss and gradients of the same sentences in padded, bucketed and packed batches. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { padBatch, type TokenPair } from "../../../src/data/batching.ts";
import { packBatch, packRows } from "../../../src/data/packing.ts";
import {
  bert,
  gpt2,
  llama,
  Transformer,
  type TransformerConfig,
  t5,
  tokenLoss,
  vaswani,
  vit,
} from "../../../src/models/transformer/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";

const SIZES = { width: 6, heads: 3, inner: 7, vocabulary: 11, dropout: 0 };
const PAIR = { encoderLayers: 1, decoderLayers: 1 };

const CONFIGS: [string, TransformerConfig][] = [
  ["encoder and decoder with sines", vaswani({ ...SIZES, ...PAIR })],
  ["encoder and decoder with T5's buckets", t5({ ...SIZES, ...PAIR, headWidth: 2, gated: true })],
  ["learned positions", gpt2({ ...SIZES, layers: 2, positions: 9 })],
  ["rotated queries and keys, a window", { ...llama({ ...SIZES, layers: 1, keyValueHeads: 1 }), window: 3 }],
  ["ALiBi", { ...gpt2({ ...SIZES, layers: 1, positions: 9 }), positions: { kind: "alibi" } }],
  ["an encoder with kinds of segments", bert({ ...SIZES, layers: 1, positions: 9 })],
];

const random = new RandomStream(4);
const sentence = (most: number) =>
  Array.from({ length: 2 + random.integer(most) }, () => 1 + random.integer(10));
const PAIRS: TokenPair[] = Array.from({ length: 7 }, () => ({ source: sentence(6), target: sentence(8) }));

interface Rows {
  readonly ids: Int32Array;
  readonly rows: number;
  readonly width: number;
  readonly lengths?: Int32Array;
  readonly segments?: readonly (readonly number[])[];
}

const tensorOf = ({ ids, rows, width }: Rows) => tf.tensor2d(ids, [rows, width], "int32");
const seen = ({ lengths, segments }: Rows) => ({
  ...(lengths && { lengths }),
  ...(segments && { segments }),
});

/** What an example's tokens are to be followed by, −1 where nothing counts. */
function labelsOf(batch: Rows): tf.Tensor2D {
  return tf.sub(
    tf.mul(tensorOf(batch), tf.cast(tf.notEqual(tensorOf(batch), 0), "int32")),
    tf.cast(tf.equal(tensorOf(batch), 0), "int32"),
  );
}

/** Σ of the losses of all tokens of a batch. */
function lossOf(model: Transformer, source: Rows, target: Rows): tf.Scalar {
  const { encoderLayers, decoderLayers } = model.config;
  const memory = encoderLayers ? model.encode({ tokens: tensorOf(source), ...seen(source) }) : undefined;
  const read = decoderLayers ? target : source;
  const states = decoderLayers
    ? model.decode(
        { tokens: tensorOf(target), ...seen(target) },
        {
          ...(memory && { memory }),
          ...(memory && source.lengths && { memoryLengths: source.lengths }),
          ...(memory && source.segments && { memorySegments: source.segments }),
        },
      )
    : memory!;
  const count = read.ids.reduce((n, id) => n + Number(id !== 0), 0);
  return tf.mul(tokenLoss(model.logits(states), labelsOf(read)), count);
}

/** The loss of batches, each a source and a target side, and all gradients of their sum. */
function learn(
  model: Transformer,
  batches: [Rows, Rows][],
): { loss: number; gradients: Record<string, Float32Array> } {
  const { variables } = model.parameters;
  return tf.tidy(() => {
    const { value, grads } = tf.variableGrads(
      () => tf.addN(batches.map(([source, target]) => lossOf(model, source, target))) as tf.Scalar,
      Object.values(variables),
    );
    // BERT's pooler takes no part.
    const gradients = Object.entries(variables).flatMap(([name, { name: key }]) =>
      grads[key] ? [[name, grads[key].dataSync()]] : [],
    );
    return { loss: value.dataSync()[0]!, gradients: Object.fromEntries(gradients) };
  });
}

const sides = (
  some: readonly TokenPair[],
  make: (sequences: (readonly number[])[]) => Rows,
): [Rows, Rows] => [make(some.map(({ source }) => source)), make(some.map(({ target }) => target))];

const padded = (some: readonly TokenPair[]) => sides(some, (sequences) => padBatch(sequences));

function packed(): [Rows, Rows] {
  const members = packRows(
    PAIRS.map(({ source, target }) => [source.length, target.length]),
    [13, 17],
  );
  const side = (name: keyof TokenPair, width: number): Rows =>
    packBatch(
      PAIRS.map((pair) => pair[name]),
      { members, width },
    );
  return [side("source", 13), side("target", 17)];
}

onEveryBackend("A Transformer on batches", () => {
  it.each(CONFIGS)(
    "learns the same from padded, bucketed and packed ones, and from each pair alone: %s",
    (_, config) => {
      const model = new Transformer(config, 3);
      // The norm of what each parameter learns: a position bias of keys is 0 but for rounding.
      const whole = learn(model, [padded(PAIRS)]);
      const sorted = PAIRS.toSorted((a, b) => a.source.length - b.source.length);
      const ways = {
        bucketed: [padded(sorted.slice(0, 3)), padded(sorted.slice(3))],
        packed: [packed()],
        alone: PAIRS.map((pair) => padded([pair])),
      };
      expect(packed()[0].rows).toBeLessThan(PAIRS.length / 2);
      const largest = Math.max(
        ...Object.values(whole.gradients).map((g) => g.reduce((n, x) => Math.max(n, Math.abs(x)), 0)),
      );
      for (const [name, batches] of Object.entries(ways)) {
        const { loss, gradients } = learn(model, batches);
        expect(Math.abs(loss - whole.loss) / whole.loss, name).toBeLessThan(1e-6);
        for (const [parameter, gradient] of Object.entries(whole.gradients)) {
          const own = gradient.reduce((n, x) => Math.max(n, Math.abs(x)), 0);
          const error = distance(gradients[parameter]!, gradient);
          expect(error, `${name}: ${parameter}`).toBeLessThan(1e-5 * Math.max(own, 0.01 * largest));
        }
      }
      model.dispose();
    },
  );

  it("gives a packed sequence the states that it has alone, and padding no influence", () => {
    const model = new Transformer(CONFIGS[0]![1], 3);
    tf.tidy(() => {
      const batch = packBatch(
        [
          [3, 1, 4],
          [1, 5],
          [9, 2, 6, 5],
        ],
        { width: 6 },
      );
      expect(batch.segments).toEqual([[4, 2], [3]]);
      const states = model.encode({ tokens: tensorOf(batch), segments: batch.segments }).dataSync();
      const alone = model.encode({ tokens: tf.tensor2d([[1, 5]], [1, 2], "int32") }).dataSync();
      expect(distance(states.slice(4 * 6, 6 * 6), alone)).toBeLessThan(1e-6);
      const other = { ...batch, ids: batch.ids.map((id) => id || 7) };
      const again = model.encode({ tokens: tensorOf(other), segments: batch.segments }).dataSync();
      expect(distance(states.slice(0, 9 * 6), again.slice(0, 9 * 6))).toBe(0);
    });
    model.dispose();
  });

  it("refuses what contradicts packed rows, before anything runs", () => {
    const model = new Transformer(CONFIGS[0]![1], 3);
    const image = new Transformer(
      vit({ layers: 1, width: 6, heads: 3, patches: 4, patchSize: 5, classes: 3 }),
      1,
    );
    tf.tidy(() => {
      const tokens = tf.zeros<tf.Rank.R2>([2, 5], "int32");
      const segments = [[2, 3], [4]];
      const memory = tf.zeros<tf.Rank.R3>([2, 5, 6]);
      const { numTensors } = tf.memory();
      const calls: [() => unknown, string][] = [
        [
          () => model.encode({ tokens, segments, lengths: [5, 4] }),
          "segments must come alone: they say what is seen, got lengths;",
        ],
        [
          () => model.encode({ tokens, segments: [[2, 4], [4]] }),
          "segments must be B=2 rows of integers ≥ 0 that add up to at most T=5",
        ],
        [
          () => model.decode({ tokens, segments }, { memory }),
          "packed rows must know the sequences of the memory, got no memorySegments;",
        ],
        [
          () => model.decode({ tokens }, { memory, memorySegments: segments }),
          "a packed memory must be read by packed rows, got memorySegments without segments;",
        ],
        [
          () => model.decode({ tokens, segments }, { memory, memorySegments: [[9], [1]] }),
          "memorySegments must be B=2 rows of integers ≥ 0 that add up to at most S=5",
        ],
        [
          () => model.decode({ tokens, segments }, { memory, memorySegments: [[2], [1]] }),
          "segments and keySegments must have as many sequences in each row, got 2 and 1 in row 0",
        ],
        [
          () => image.encode({ tokens: tf.zeros<tf.Rank.R3>([1, 4, 25]), segments: [[2, 2]] }),
          "got a class token; leave it out, or give one sequence a row",
        ],
      ];
      for (const [call, message] of calls) expect(call).toThrow(message);
      expect(tf.memory().numTensors).toBe(numTensors + 1);
    });
    model.dispose();
    image.dispose();
  });
});
