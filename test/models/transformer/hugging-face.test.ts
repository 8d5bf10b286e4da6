/** States, logits and every attention weight of small models of the transformers library, on each backend. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { capture } from "../../../src/capture/index.ts";
import { layerMap } from "../../../src/inspect/index.ts";
import type { Transformer } from "../../../src/models/transformer/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import { type Fixture, fixture, ids, loaded } from "./fixture.ts";

interface Case {
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

const fills = (model: Transformer, inputs: Fixture["inputs"]) => {
  const states = encode(model, inputs);
  return { states, logits: model.logits(states) };
};

const classifies = (model: Transformer, inputs: Fixture["inputs"]) => ({
  classes: model.classLogits(encode(model, inputs)),
});

const CASES: Record<string, Case> = {
  bert: {
    run(model, inputs) {
      const { states, logits } = fills(model, inputs);
      return { states, logits, pooled: model.pooled(states) };
    },
    calls: [0, 1],
  },
  "bert-classifier": { run: classifies },
  roberta: { run: (model, inputs) => ({ states: encode(model, inputs) }) },
  "roberta-classifier": { run: classifies },
  distilbert: { run: fills, calls: [0, 1] },
  "distilbert-classifier": { run: classifies },
  albert: { run: fills, calls: [0, 1] },
  gpt2: { run: continues, calls: [0, 1] },
  llama: { run: continues, calls: [0, 1] },
  mistral: { run: continues, calls: [0, 1] },
  qwen2: { run: (model, inputs) => ({ logits: continues(model, inputs).logits }) },
  vit: {
    run(model, { patches }) {
      const tokens = tf.tensor3d(patches!.values, patches!.shape as [number, number, number]);
      return { classes: model.classLogits(model.encode({ tokens })) };
    },
    calls: [0, 1],
  },
  t5: { run: translates, calls: [3, 2] },
  "t5-gated": { run: translates, calls: [3, 2] },
  marian: { run: translates, calls: [3, 2] },
};

/** float32 sums of up to 13 products of numbers near 1 in up to 4 layers, relative to the largest number compared. */
const TOLERANCE = 1e-5;

onEveryBackend("A Transformer with the weights of a published architecture", () => {
  for (const [name, { run, calls }] of Object.entries(CASES)) {
    it(`${name}: has its states and logits`, async () => {
      const given = fixture(name);
      const model = await loaded(given);
      tf.tidy(() => {
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
      });
      model.dispose();
    });

    if (!calls) continue;
    it(`${name}: attends as it does, in every layer and head`, async () => {
      const given = fixture(name);
      const model = await loaded(given);
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
