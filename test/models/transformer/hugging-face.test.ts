/** States, logits and every attention weight of small models of the transformers library, on each backend. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { capture } from "../../../src/capture/index.ts";
import { layerMap } from "../../../src/inspect/index.ts";
import type { Transformer, TransformerConfig } from "../../../src/models/transformer/index.ts";
import * as models from "../../../src/models/transformer/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import { type Fixture, fixture, ids, loaded } from "./fixture.ts";

const SIZES = { width: 6, heads: 2, inner: 7, vocabulary: 13 };

interface Case {
  readonly config: TransformerConfig;
  readonly names: models.PublishedNames;
  readonly prefix?: string;
  /** Runs it; the outputs by the fixture's names. */
  readonly run: (model: Transformer, inputs: Fixture["inputs"]) => Record<string, tf.Tensor>;
  /** The first of the captured calls that the fixture lists, and the step to the next. */
  readonly calls?: readonly [first: number, step: number];
}

const encode = (model: Transformer, { tokens, types, lengths }: Fixture["inputs"]) =>
  model.encode({ tokens: ids(tokens!), ...(types && { types: ids(types) }), ...(lengths && { lengths }) });

const continues = (model: Transformer, { tokens }: Fixture["inputs"]) => {
  const states = model.decode({ tokens: ids(tokens!) });
  return { states, logits: model.logits(states) };
};

const translates = (model: Transformer, inputs: Fixture["inputs"]) => {
  const memory = encode(model, inputs);
  const states = model.decode({ tokens: ids(inputs.targets!) }, { memory, memoryLengths: inputs.lengths! });
  return { memory, logits: model.logits(states) };
};

const CASES: Record<string, Case> = {
  bert: {
    config: models.bert({ ...SIZES, layers: 2, heads: 3, positions: 11 }),
    names: models.bertNames,
    run: (model, inputs) => {
      const states = encode(model, inputs);
      return { states, logits: model.logits(states), pooled: model.pooled(states) };
    },
    calls: [0, 1],
  },
  roberta: {
    config: models.bert({
      ...SIZES,
      layers: 1,
      positions: 11,
      types: 1,
      firstPosition: 2,
      head: false,
      pooler: false,
    }),
    names: models.robertaNames,
    prefix: "roberta.",
    run: (model, inputs) => ({ states: encode(model, inputs) }),
  },
  albert: {
    config: models.albert({ ...SIZES, layers: 3, embeddingWidth: 4, positions: 11, pooler: false }),
    names: models.albertNames,
    run: (model, inputs) => {
      const states = encode(model, inputs);
      return { states, logits: model.logits(states) };
    },
    calls: [0, 1],
  },
  gpt2: {
    config: models.gpt2({ ...SIZES, layers: 2, heads: 3, positions: 11 }),
    names: models.gpt2Names,
    run: continues,
    calls: [0, 1],
  },
  llama: {
    config: models.llama({
      ...SIZES,
      layers: 2,
      width: 12,
      heads: 3,
      keyValueHeads: 1,
      ropeBase: 100,
      epsilon: 1e-6,
    }),
    names: models.llamaNames,
    run: continues,
    calls: [0, 1],
  },
  qwen2: {
    config: models.llama({
      ...SIZES,
      layers: 1,
      width: 8,
      keyValueHeads: 1,
      ropeBase: 100,
      epsilon: 1e-6,
      tied: true,
      attentionBias: true,
    }),
    names: models.llamaNames,
    run: (model, inputs) => ({ logits: continues(model, inputs).logits }),
  },
  vit: {
    config: models.vit({ width: 6, heads: 2, inner: 7, layers: 2, patches: 4, patchSize: 18, classes: 5 }),
    names: models.vitNames,
    run: (model, { patches }) => {
      const tokens = tf.tensor3d(patches!.values, patches!.shape as [number, number, number]);
      return { classes: model.classLogits(model.encode({ tokens })) };
    },
    calls: [0, 1],
  },
  t5: {
    config: models.t5({
      ...SIZES,
      encoderLayers: 2,
      decoderLayers: 2,
      headWidth: 4,
      buckets: 8,
      maxDistance: 6,
    }),
    names: models.t5Names(),
    run: translates,
    calls: [3, 2],
  },
  "t5-gated": {
    config: models.t5({
      ...SIZES,
      encoderLayers: 2,
      decoderLayers: 2,
      headWidth: 4,
      buckets: 8,
      maxDistance: 6,
      gated: true,
    }),
    names: models.t5Names(true),
    run: translates,
    calls: [3, 2],
  },
  marian: {
    config: models.marian({ ...SIZES, encoderLayers: 2, decoderLayers: 1 }),
    names: models.marianNames,
    run: translates,
    calls: [3, 2],
  },
};

/** float32 sums of up to 13 products of numbers near 1 in up to 4 layers, relative to the largest number compared. */
const TOLERANCE = 1e-5;

onEveryBackend("A Transformer with the weights of a published architecture", () => {
  for (const [name, { config, names, prefix, run, calls }] of Object.entries(CASES)) {
    it(`${name}: has its states and logits`, () => {
      const given = fixture(name);
      tf.tidy(() => {
        const model = loaded(given, config, names, prefix);
        for (const [output, tensor] of Object.entries(run(model, given.inputs))) {
          const expected = given.outputs[output]!;
          const kept = valid(given, tensor.shape);
          const pick = (values: ArrayLike<number>) => Array.from(values).filter((_, n) => kept(n));
          expect(tensor.shape, output).toEqual(expected.shape);
          const most = Math.max(1, ...pick(expected.values).map(Math.abs));
          expect(distance(pick(tensor.dataSync()), pick(expected.values)), output).toBeLessThan(
            TOLERANCE * most,
          );
        }
        model.dispose();
      });
    });

    if (!calls) continue;
    it(`${name}: attends as it does, in every layer and head`, () => {
      const given = fixture(name);
      const model = loaded(given, config, names, prefix);
      const trace = capture(() => Object.values(run(model, given.inputs)), tf.scalar(0));
      const [first, step] = calls;
      for (const [n, { shape, values }] of given.outputs.attentions!.entries()) {
        const [, H, T, S] = shape as [number, number, number, number];
        const map = layerMap(trace.layers[first + n * step]!);
        for (let h = 0; h < H; h++)
          for (let t = 0; t < T; t++) {
            const row = values.slice((h * T + t) * S, (h * T + t + 1) * S);
            expect(distance(map.row(h, t).values, row), `${n}.${h}.${t}`).toBeLessThan(TOLERANCE);
          }
      }
      model.dispose();
    });
  }
});

/** Which numbers of an output [B, N, …] belong to positions that are there. */
function valid({ inputs: { lengths, targets } }: Fixture, shape: readonly number[]): (n: number) => boolean {
  const [, N = 1] = shape;
  if (!lengths || shape.length < 3 || (targets && N === targets.shape[1])) return () => true;
  const width = shape.slice(2).reduce((all, n) => all * n, 1);
  return (n) => Math.floor(n / width) % N < lengths[Math.floor(n / (width * N))]!;
}
