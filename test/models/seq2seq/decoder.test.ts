import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { padBatch } from "../../../src/data/batching.ts";
import { START } from "../../../src/data/bpe.ts";
import type { DecoderState } from "../../../src/models/seq2seq/decoder.ts";
import { parameterSpecs } from "../../../src/models/seq2seq/parameters.ts";
import type { Seq2Seq } from "../../../src/models/seq2seq/seq2seq.ts";
import {
  CELLS,
  distance,
  lossAndGradients,
  onHeed,
  SOURCES,
  STYLES,
  TARGETS,
  tinyConfig,
  tinyModel,
} from "./support.ts";

onHeed();

/** Enough for a change to be none of rounding. */
const SEEN = 1e-3;

/** One step from the first source: what it predicts and where it looked. */
function firstStep(
  model: Seq2Seq,
  { piece = START, change = (state: DecoderState): DecoderState => state } = {},
) {
  return tf.tidy(() => {
    const { memory, state } = model.encode(padBatch([SOURCES[0]!]));
    const step = model.decoder.step(model.wordGates(Int32Array.of(piece)), change(state), memory);
    return {
      logits: model.logits(step.attentional).dataSync().slice(),
      weights: step.weights.dataSync().slice(),
      feed: step.state.feed?.shape,
    };
  });
}

const moved = (x: tf.Tensor2D): tf.Tensor2D => tf.add(x, 0.5);

describe.each(CELLS)("with a %s", (cell) => {
  test.each(STYLES)("the encoder's final state is the decoder's first: %s", (style) => {
    const model = tinyModel({ cell, style });
    const states = tf.tidy(() =>
      SOURCES.map((source) => model.encode(padBatch([source])).state.cell.map((x) => x.dataSync().slice())),
    );
    expect(states[0]!.length).toBe(cell === "lstm" ? 2 : 1);
    for (const [part, values] of states[0]!.entries()) {
      expect(distance(values, states[2]![part]!)).toBeGreaterThan(SEEN);
      const change = (state: DecoderState) => ({
        ...state,
        cell: state.cell.map((x, i) => (i === part ? moved(x) : x)),
      });
      expect(distance(firstStep(model).logits, firstStep(model, { change }).logits)).toBeGreaterThan(SEEN);
    }
    model.dispose();
  });

  test("Luong's query is the current state, which knows the last word; Bahdanau's the one before", () => {
    const luong = tinyModel({ cell, style: "luong" });
    const bahdanau = tinyModel({ cell, style: "bahdanau" });
    const apart = (model: Seq2Seq) =>
      distance(firstStep(model, { piece: 7 }).weights, firstStep(model, { piece: 12 }).weights);
    expect(apart(luong)).toBeGreaterThan(SEEN);
    expect(apart(bahdanau)).toBe(0);
    luong.dispose();
    bahdanau.dispose();
  });
});

test("input feeding widens the decoder's input by the attentional state", () => {
  const [E, D, H] = [5, 7, 3];
  const shapes = (changes: Parameters<typeof tinyConfig>[0]) => {
    const specs = parameterSpecs(tinyConfig(changes));
    return [specs["decoder/input/kernel"]?.shape, specs["decoder/fed/kernel"]?.shape];
  };
  expect(shapes({ inputFeeding: true })).toEqual([
    [E, 3 * D],
    [E, 3 * D],
  ]);
  expect(shapes({ inputFeeding: false })).toEqual([[E, 3 * D], undefined]);
  expect(shapes({ cell: "lstm" })).toEqual([
    [E, 4 * D],
    [E, 4 * D],
  ]);
  // Bahdanau's decoder reads the context, whatever the switch says.
  expect(shapes({ style: "bahdanau", inputFeeding: false })[1]).toEqual([2 * H, 3 * D]);
});

test("with input feeding the attentional state of a step changes the next; without, there is none", () => {
  const fed = tinyModel();
  const change = (state: DecoderState) => ({ ...state, feed: moved(state.feed!) });
  expect(firstStep(fed).feed).toEqual([1, 5]);
  expect(distance(firstStep(fed).logits, firstStep(fed, { change }).logits)).toBeGreaterThan(SEEN);
  const plain = tinyModel({ inputFeeding: false });
  expect(firstStep(plain).feed).toBeUndefined();
  fed.dispose();
  plain.dispose();
});

test("the context is read together with the state before the output layer", () => {
  expect(parameterSpecs(tinyConfig())["combine/kernel"]!.shape).toEqual([2 * 3 + 7, 5]);
});

test("without attention the weights are the same for every source word, and padding has none", () => {
  const model = tinyModel({ score: "none" });
  const weights = tf.tidy(() => {
    const { memory, state } = model.encode(padBatch(SOURCES));
    return model.decoder
      .step(model.wordGates(Int32Array.of(START, START, START)), state, memory)
      .weights.arraySync();
  });
  expect(
    distance(weights.flat(), [0.2, 0.2, 0.2, 0.2, 0.2, 1, 0, 0, 0, 0, 0.25, 0.25, 0.25, 0.25, 0]),
  ).toBeLessThan(1e-6);
  model.dispose();
});

test.each(["additive", "concat"] as const)(
  "with the %s score each step attends in one kernel, backwards too",
  async (score) => {
    const model = tinyModel({ score });
    const { kernels } = await tf.profile(() => lossAndGradients(model).loss as never);
    const count = (name: string) => kernels.filter((kernel) => kernel.name === name).length;
    const steps = Math.max(...TARGETS.map((target) => target.length));
    expect([count("HeedAdditiveAttention"), count("HeedAdditiveAttentionGrad")]).toEqual([steps, steps]);
    model.dispose();
  },
);
