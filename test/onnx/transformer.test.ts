/** Every architecture as an ONNX file, run by onnxruntime-web, against the model that it came from. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { useHeedBackend } from "../../src/host/select.ts";
import type { Transformer } from "../../src/models/transformer/index.ts";
import { exportOnnx, onnxFiles } from "../../src/onnx/index.ts";
import { distance } from "../attention/support.ts";
import { modelOf, NAMES } from "./models.ts";
import { testNative } from "./native.ts";
import { type Feeds, type Given, type Session, sessionOf } from "./runtime.ts";

beforeAll(useHeedBackend);

/** float32 sums in another order, relative to the largest number compared. */
const TOLERANCE = 1e-5;

function expectNear(got: ArrayLike<number>, wanted: ArrayLike<number>, what: string): void {
  const all = Array.from(wanted);
  expect(all.length, what).toBeGreaterThan(0);
  const most = Math.max(1, ...all.map(Math.abs));
  expect(distance(Array.from(got), all), what).toBeLessThan(TOLERANCE * most);
}

/** Numbers that look random, of no special sizes. */
const number = (n: number) => Math.sin(7.1 * n + 1) * 1.3;
const numbers = (...shape: number[]): Given => ({
  shape,
  values: Float32Array.from({ length: shape.reduce((all, n) => all * n, 1) }, (_, n) => number(n)),
});
const idsOf = (B: number, T: number, V: number, seed = 1): Given => ({
  shape: [B, T],
  values: Array.from({ length: B * T }, (_, n) => Math.floor(Math.abs(number(n + seed)) * 9999) % V),
});
const maskOf = (T: number, lengths: readonly number[]): Given => ({
  shape: [lengths.length, T],
  values: lengths.flatMap((length) => Array.from({ length: T }, (_, t) => Number(t < length))),
});
const tensor = ({ shape, values }: Given) =>
  values instanceof Float32Array
    ? tf.tensor(values, [...shape])
    : tf.tensor(Array.from(values), [...shape], "int32");

/** Rows of an output [B, N, C] that belong to tokens. */
const rowsOf = (values: ArrayLike<number>, [, N, C]: readonly number[], lengths: readonly number[]) =>
  lengths.flatMap((length, b) => Array.from(values).slice(b * N! * C!, (b * N! + length) * C!));

/** What heed says of a batch, by the names of the file's outputs. */
function encoded(model: Transformer, inputs: { tokens: Given; types?: Given; lengths: number[] }) {
  const { tokens, types, lengths } = inputs;
  return tf.tidy(() => {
    const states = model.encode({
      tokens: tensor(tokens) as tf.Tensor2D,
      ...(types && { types: tensor(types) as tf.Tensor2D }),
      lengths,
    });
    const { head, classes, pooler } = model.config;
    const read = (x: tf.Tensor) => ({ shape: x.shape, values: x.dataSync() });
    if (classes !== undefined) return { logits: read(model.classLogits(states)) };
    return {
      ...(head ? { logits: read(model.logits(states)) } : { last_hidden_state: read(states) }),
      ...(pooler && { pooler_output: read(model.pooled(states)) }),
    };
  });
}

async function checkEncoder(model: Transformer, session: Session, B: number, T: number): Promise<void> {
  const { vocabulary: V, inputWidth, types: kinds, classToken } = model.config;
  const lengths = Array.from({ length: B }, (_, b) => T - ((2 * b) % T));
  const tokens = inputWidth === undefined ? idsOf(B, T, V) : numbers(B, T, inputWidth);
  const types = kinds > 1 ? idsOf(B, T, kinds, 5) : undefined;
  const wanted = encoded(model, { tokens, lengths, ...(types && { types }) });
  const got = await session.run({
    ...{ input_ids: tokens, inputs: tokens, attention_mask: maskOf(T, lengths) },
    ...(types && { token_type_ids: types }),
  });
  expect(Object.keys(got).sort()).toEqual(Object.keys(wanted).sort());
  for (const [name, { shape, values }] of Object.entries(wanted)) {
    expect(got[name]!.shape, name).toEqual(shape);
    const valid = lengths.map((length) => length + Number(classToken));
    const pick = (all: ArrayLike<number>) => (shape.length === 3 ? rowsOf(all, shape, valid) : all);
    expectNear(pick(got[name]!.values), pick(values), `${name} of ${B} × ${T}`);
  }
}

/** Scores that heed gives each token of one text: [T][V]. */
function scoresOf(model: Transformer, ids: readonly number[], memory?: tf.Tensor3D): number[][] {
  return tf.tidy(() => {
    const tokens = tf.tensor2d([...ids], [1, ids.length], "int32");
    const states = model.decode({ tokens }, memory ? { memory } : {});
    return (model.config.head ? model.logits(states) : states).arraySync()[0] as number[][];
  });
}

const emptyCache = ({ config }: Transformer, session: Session, B: number, P = 0): Feeds => {
  const names = session.inputs.filter((name) => name.startsWith("past_key_values"));
  const past = numbers(B, config.keyValueHeads, P, config.headWidth);
  return Object.fromEntries(names.map((name) => [name, past]));
};
const grownCache = (outputs: Record<string, Given>): Feeds =>
  Object.fromEntries(
    Object.entries(outputs)
      .filter(([name]) => name.startsWith("present"))
      .map(([name, value]) => [name.replace("present", "past_key_values"), value]),
  );

/** Texts of different lengths in steps, each row padded on this side; every token's scores are those of the text alone. */
async function checkDecoder(model: Transformer, session: Session, padding: "left" | "right"): Promise<void> {
  const V = model.config.vocabulary;
  /** Tokens of each text in each step, the steps being as wide as their longest. */
  const steps = [
    [5, 2],
    [1, 1],
    [2, 1],
    [1, 1],
  ] as const;
  const B = 2;
  const ids = Array.from({ length: B }, (_, b) => Array.from(idsOf(1, 9, V, 3 * b).values));
  const wanted = ids.map((text) => scoresOf(model, text));
  const mask: number[][] = ids.map(() => []);
  const done = [0, 0];
  let cache = emptyCache(model, session, B);
  for (const counts of steps) {
    const T = Math.max(...counts);
    const rows = counts.map((count, b) => {
      const text = ids[b]!.slice(done[b], done[b]! + count);
      const filling = Array<number>(T - count).fill(V - 1);
      const isThere = text.map(() => 1);
      const none = filling.map(() => 0);
      mask[b]!.push(...(padding === "left" ? [...none, ...isThere] : [...isThere, ...none]));
      return padding === "left" ? [...filling, ...text] : [...text, ...filling];
    });
    const outputs = await session.run({
      input_ids: { shape: [B, T], values: rows.flat() },
      attention_mask: { shape: [B, mask[0]!.length], values: mask.flat() },
      ...cache,
    });
    const { shape, values } = outputs.logits ?? outputs.last_hidden_state!;
    const width = shape[2]!;
    expect(shape).toEqual([B, T, width]);
    for (const [b, count] of counts.entries()) {
      const first = b * T + (padding === "left" ? T - count : 0);
      const got = values.slice(first * width, (first + count) * width);
      expectNear(got, wanted[b]!.slice(done[b], done[b]! + count).flat(), `${padding}, text ${b}`);
      done[b]! += count;
    }
    cache = grownCache(outputs);
    expect(cache["past_key_values.0.key"]!.shape[2]).toBe(mask[0]!.length);
  }
}

/** A memory of texts of different lengths, read in steps; what is given as past of the first step is never read. */
async function checkBoth(model: Transformer, encoder: Session, decoder: Session): Promise<void> {
  const V = model.config.vocabulary;
  for (const [lengths, garbage] of [
    [[7, 4], 0],
    [[3, 5, 2], 1],
  ] as const) {
    const [B, S] = [lengths.length, Math.max(...lengths)];
    const [sources, targets] = [idsOf(B, S, V), idsOf(B, 5, V, 4)];
    const mask = maskOf(S, lengths);
    const { last_hidden_state: memory } = await encoder.run({ input_ids: sources, attention_mask: mask });
    const wanted = lengths.map((length, b) =>
      tf.tidy(() => {
        const text = Array.from(sources.values).slice(b * S, b * S + length);
        const states = model.encode({ tokens: tf.tensor2d(text, [1, length], "int32") });
        const given = Array.from(targets.values).slice(b * 5, b * 5 + 5);
        return { states: states.dataSync(), scores: scoresOf(model, given, states) };
      }),
    );
    const states = wanted.flatMap((row) => Array.from(row.states));
    expectNear(rowsOf(memory!.values, memory!.shape, lengths), states, "memory");
    let cache = emptyCache(model, decoder, B, garbage);
    for (const [from, to] of [
      [0, 2],
      [2, 3],
      [3, 5],
    ] as const) {
      const step = Array.from({ length: B }, (_, b) =>
        Array.from(targets.values).slice(b * 5 + from, b * 5 + to),
      );
      const outputs = await decoder.run({
        input_ids: { shape: [B, to - from], values: step.flat() },
        encoder_hidden_states: memory!,
        encoder_attention_mask: mask,
        use_cache_branch: { shape: [1], values: Uint8Array.of(Number(from > 0)) },
        ...cache,
      });
      const scores = wanted.flatMap((row) => row.scores.slice(from, to).flat());
      expectNear(outputs.logits!.values, scores, `tokens ${from} to ${to}`);
      cache = grownCache(outputs);
      expect(cache["past_key_values.0.decoder.key"]!.shape[2]).toBe(to);
      expect(cache["past_key_values.0.encoder.value"]!.shape[2]).toBe(S);
    }
  }
}

type Attention = "operator" | "plain";

async function withSessions(
  name: string,
  attention: Attention,
  check: (model: Transformer, sessions: Session[]) => Promise<void>,
): Promise<void> {
  const model = await modelOf(name);
  const sessions: Session[] = [];
  try {
    for (const { part } of onnxFiles(model)) {
      sessions.push(await sessionOf(exportOnnx(model, { attention, ...(part && { part }) })));
    }
    await check(model, sessions);
  } finally {
    model.dispose();
    for (const session of sessions) await session.release();
  }
}

describe("An ONNX file gives in onnxruntime-web what its model gives", () => {
  /** Those that together have every operator of the plain way: layer and RMS norms, shared keys, windows, memories. */
  const plain = ["bert", "mistral", "t5"];
  const cases = (names: readonly string[]) => [
    ...names.map((name) => [name, "operator"] as const),
    ...names.filter((name) => plain.includes(name)).map((name) => [name, "plain"] as const),
  ];

  it.each(cases(NAMES.encoders))("%s (%s): batches and lengths of any size, padded", (name, attention) =>
    withSessions(name, attention, async (model, [session]) => {
      const most = name === "vit" ? 4 : 7;
      await checkEncoder(model, session!, 2, most);
      await checkEncoder(model, session!, 3, 3);
    }),
  );

  it.each(cases(NAMES.decoders))(
    "%s (%s): step by step as at once, padded on either side",
    (name, attention) =>
      withSessions(name, attention, async (model, [session]) => {
        await checkDecoder(model, session!, "right");
        await checkDecoder(model, session!, "left");
      }),
  );

  it.each(cases(NAMES.both))("%s (%s): encoder, and decoder step by step as at once", (name, attention) =>
    withSessions(name, attention, (model, [encoder, decoder]) => checkBoth(model, encoder!, decoder!)),
  );

  testNative(20);
});
