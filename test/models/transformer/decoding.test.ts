/** Greedy, sampled and beam decoding against the same decisions made from whole sequences. */
import "../../../src/host/backend.ts";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { OptionError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { Beam, type Restriction } from "../../../src/models/seq2seq/beam.ts";
import {
  generate,
  generateSteps,
  llama,
  searchTransformer,
  Transformer,
  vaswani,
} from "../../../src/models/transformer/index.ts";
import { chooseToken } from "../../../src/models/transformer/sampling.ts";

const SIZES = { width: 12, heads: 3, inner: 7, vocabulary: 17 };
const TOKENS = { start: 1, end: 2, never: [0, 1] };

/** Sharper than at the start, so that no two tokens are as likely. */
function sharp(model: Transformer): Transformer {
  const token = model.parameters.variables["embedding/token"]!;
  tf.tidy(() => token.assign(tf.mul(token, 20)));
  return model;
}

let decoder: Transformer;
let translator: Transformer;
beforeAll(async () => {
  await tf.setBackend("heed");
  decoder = sharp(new Transformer(llama({ ...SIZES, layers: 2, keyValueHeads: 1, tied: true }), 7));
  translator = sharp(
    new Transformer(vaswani({ ...SIZES, encoderLayers: 1, decoderLayers: 2, dropout: 0 }), 8),
  );
});

const row = (ids: readonly number[]) => tf.tensor2d([...ids], [1, ids.length], "int32");

/** Logits of the token after a text, from the whole text. */
function logitsAfter(text: readonly number[], source?: readonly number[]): Float32Array {
  return tf.tidy(() => {
    const model = source ? translator : decoder;
    const memory = source && model.encode({ tokens: row(source) });
    const states = model.decode({ tokens: row(text) }, memory ? { memory } : {});
    return model
      .logits(tf.slice(states, [0, text.length - 1, 0], [1, 1, 12]))
      .dataSync()
      .slice() as Float32Array;
  });
}

const PROMPTS = [[3, 9, 4], [5], [7, 7, 2, 8, 16]];

describe("generate", () => {
  it("takes the likeliest token each time, for prompts of different lengths side by side", () => {
    const wanted = PROMPTS.map((prompt) => {
      const text = [...prompt];
      for (let n = 0; n < 9; n++) text.push(chooseToken(logitsAfter(text), {}, new RandomStream(0)));
      return text.slice(prompt.length);
    });
    expect(generate(decoder, PROMPTS, { maxTokens: 9 })).toEqual(wanted);
  });

  it("chooses by its seed alone, whatever stands beside it, and tells of each token", () => {
    const options = { maxTokens: 12, temperature: 1.5, topK: 9, topP: 0.9, seed: 5 };
    const told: number[][] = [[], [], []];
    const together = generate(decoder, PROMPTS, {
      ...options,
      onToken: (example, id) => told[example]!.push(id),
    });
    expect(told).toEqual(together);
    expect(generate(decoder, PROMPTS.slice(0, 1), options)).toEqual(together.slice(0, 1));
    expect(generate(decoder, PROMPTS, { ...options, seed: 6 })).not.toEqual(together);
  });

  it("ends a text at a stop token and goes on with the others", () => {
    const all = generate(decoder, PROMPTS, { maxTokens: 9 });
    const stop = [all[0]![4]!];
    const wanted = all.map((ids) => (ids.includes(stop[0]!) ? ids.slice(0, ids.indexOf(stop[0]!)) : ids));
    expect(generate(decoder, PROMPTS, { maxTokens: 9, stop })).toEqual(wanted);
  });

  it("leaves no tensor behind", () => {
    const before = tf.memory().numTensors;
    generate(decoder, PROMPTS, { maxTokens: 4 });
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    [{ maxTokens: 0 }, "generate: maxTokens must be an integer ≥ 1, got 0; choose one in that range"],
    [
      { maxTokens: 1, topP: 0 },
      "generate: topP must be above 0 and at most 1, got 0; choose one in that range or leave it out",
    ],
    [
      { maxTokens: 1, temperature: -1 },
      "generate: temperature must be a number ≥ 0, got -1; choose one in that range or leave it out",
    ],
  ])("refuses %o", (options, message) => {
    expect(() => generate(decoder, [[3]], options)).toThrow(OptionError);
    expect(() => generate(decoder, [[3]], options)).toThrow(message);
  });

  it("refuses tokens of another vocabulary, empty prompts and models that do not continue", () => {
    expect(() => generate(decoder, [[17]], { maxTokens: 1 })).toThrow(
      "generate: a token must be an integer from 0 to 16, got 17; use the tokenizer of this model",
    );
    expect(() => generate(decoder, [[3], []], { maxTokens: 1 })).toThrow("got prompt 1 without tokens");
    expect(() => generate(translator, [[3]], { maxTokens: 1 })).toThrow("the model must be a decoder alone");
  });
});

describe("generateSteps", () => {
  it("writes after sources what the whole decoder scores highest, and frees what it kept when nobody asks further", () => {
    const sources = [
      [5, 6, 7, 8, 9],
      [11, 3, 14],
    ];
    const wanted = sources.map((source) => {
      const text = [1];
      for (let n = 0; n < 6; n++) {
        const logits = tf.tidy(() => {
          const memory = translator.encode({ tokens: tf.tensor2d(source, [1, source.length], "int32") });
          const tokens = tf.tensor2d(text, [1, text.length], "int32");
          const all = translator.logits(translator.decode({ tokens }, { memory })).dataSync();
          return Float32Array.from(all.slice(-SIZES.vocabulary));
        });
        text.push(chooseToken(logits, {}, new RandomStream(0)));
      }
      return text.slice(1);
    });
    expect(generate(translator, [[1], [1]], { maxTokens: 6, sources })).toEqual(wanted);
    const before = tf.memory().numTensors;
    for (const { tokens } of generateSteps(translator, [[1], [1]], { maxTokens: 6, sources })) {
      expect(tokens.map(({ id }) => id)).toEqual(wanted.map(([first]) => first));
      break;
    }
    expect(tf.memory().numTensors).toBe(before);
    expect(() => generate(translator, [[1]], { maxTokens: 1, sources })).toThrow("got 2 for 1 prompts");
    expect(() => generate(decoder, [[1]], { maxTokens: 1, sources: [[1]] })).toThrow(
      "0 layers of an encoder",
    );
    expect(() => generate(translator, [[1]], { maxTokens: 1, sources: [[]] })).toThrow("source 0 without");
  });
});

describe("chooseToken", () => {
  it("punishes what the text has, and never takes what it must not", () => {
    const logits = Float32Array.from([1, 3, 2.5, -1, -2]);
    const choose = (options: object, text: number[] = []) =>
      chooseToken(logits, options, new RandomStream(0), text);
    expect(choose({ repetitionPenalty: 1.5 })).toBe(1);
    // 3 / 1.5 = 2 is below 2.5.
    expect(choose({ repetitionPenalty: 1.5 }, [1, 1])).toBe(2);
    // −1·3 is below −2.
    expect(choose({ repetitionPenalty: 3, never: [0, 1, 2] }, [3])).toBe(4);
    expect(choose({ never: [1] })).toBe(2);
    expect([...logits]).toEqual([1, 3, 2.5, -1, -2]);
  });

  const logits = Float32Array.from([1, 3, 2, Number.NaN, -Infinity, 0]);

  it("draws each token by its share", () => {
    const random = new RandomStream(1);
    const counts = new Array(6).fill(0);
    const draws = 20_000;
    for (let n = 0; n < draws; n++) counts[chooseToken(logits, { temperature: 1 }, random)]++;
    const shares = [1, 3, 2, -Infinity, -Infinity, 0].map(Math.exp);
    const total = shares.reduce((sum, share) => sum + share, 0);
    for (const [id, share] of shares.entries()) {
      const p = share / total;
      // Three standard errors.
      expect(Math.abs(counts[id] / draws - p)).toBeLessThanOrEqual(3 * Math.sqrt((p * (1 - p)) / draws));
    }
  });

  it("cuts to the likeliest k, and to the likeliest that have the share p", () => {
    const random = new RandomStream(2);
    const seen = (options: object) =>
      [
        ...new Set(
          Array.from({ length: 500 }, () => chooseToken(logits, { temperature: 2, ...options }, random)),
        ),
      ].sort();
    expect(seen({ topK: 2 })).toEqual([1, 2]);
    // e^1.5, e^1, e^0.5, 1 of 9.85: the first two have 0.73.
    expect(seen({ topP: 0.7 })).toEqual([1, 2]);
    expect(seen({ topP: 0.01 })).toEqual([1]);
    expect(seen({})).toEqual([0, 1, 2, 5]);
  });
});

describe("searchTransformer", () => {
  const sources = [[3, 4, 5], [6, 7, 8, 9, 10, 11], [12]];

  it.each([1, 2, 4])("finds what a search without a cache finds: beam %i", (K) => {
    const found = searchTransformer(translator, sources, { beam: K, maxLength: 8, tokens: TOKENS });
    for (const [n, source] of sources.entries()) {
      const beam = new Beam(0, K, 8, 1, TOKENS);
      let texts = Array.from({ length: K }, () => [1]);
      for (;;) {
        const logits = texts.map((text) => logitsAfter(text, source));
        const norms = logits.map((line) => tf.tidy(() => tf.logSumExp(line).dataSync()[0]!));
        const numbers = {
          logits: Float32Array.from(logits.flatMap((line) => [...line])),
          norms: Float32Array.from(norms),
          weights: new Float32Array(0),
        };
        const rows = beam.advance(numbers, 0);
        if (!rows) break;
        texts = rows.map((from, k) => [...texts[from]!, beam.tokens[k]!]);
      }
      expect(found[n]!.map(({ ids }) => ids)).toEqual(beam.ranked.map(({ ids }) => ids));
      for (const [rank, { score }] of beam.ranked.entries())
        expect(found[n]![rank]!.score).toBeCloseTo(score, 4);
    }
  });

  it("is greedy with a beam of 1", () => {
    for (const source of sources) {
      const text = [1];
      while (text.length <= 8) {
        const logits = logitsAfter(text, source);
        for (const id of TOKENS.never) logits[id] = -Infinity;
        const id = chooseToken(logits, {}, new RandomStream(0));
        if (id === TOKENS.end) break;
        text.push(id);
      }
      const [found] = searchTransformer(translator, [source], { maxLength: 8, tokens: TOKENS });
      expect(found![0]!.ids).toEqual(text.slice(1, 9));
    }
  });

  it("scores some outputs alone as if the others were never to be written", () => {
    const outputs = Int32Array.from([2, 3, 5, 8, 11, 13, 16]);
    const others = Array.from({ length: 17 }, (_, id) => id).filter((id) => !outputs.includes(id));
    const found = searchTransformer(translator, sources, { beam: 3, maxLength: 8, tokens: TOKENS, outputs });
    for (const [n, source] of sources.entries()) {
      for (const { ids, logProbability, ended } of found[n]!) {
        expect(ids.every((id) => outputs.includes(id))).toBe(true);
        // Their softmax is over the outputs.
        let sum = 0;
        for (let t = 0; t < ids.length + Number(ended); t++) {
          const logits = logitsAfter([1, ...ids.slice(0, t)], source);
          for (const id of others) logits[id] = -Infinity;
          const norm = Math.log([...logits].reduce((total, x) => total + Math.exp(x), 0));
          sum += logits[ids[t] ?? TOKENS.end]! - norm;
        }
        expect(logProbability).toBeCloseTo(sum, 4);
      }
    }
  });

  it("keeps each output to the rule of its source", () => {
    /** An output has exactly the ids of `left`, in any order. */
    const exactly = (left: readonly number[]): Restriction => ({
      allows: (id) => (left.length === 0 ? id === TOKENS.end : left.includes(id)),
      after: (id) => exactly(left.filter((_, at) => at !== left.indexOf(id))),
    });
    const wanted = [[7, 3, 3], [11], [16, 5, 9, 4]];
    for (const outputs of [undefined, Int32Array.from({ length: 17 }, (_, id) => id)]) {
      const restrictions = wanted.map(exactly);
      const found = searchTransformer(translator, sources, {
        beam: 4,
        tokens: TOKENS,
        restrictions,
        ...(outputs && { outputs }),
      });
      for (const [n, hypotheses] of found.entries()) {
        expect(hypotheses.length).toBeGreaterThan(0);
        for (const { ids, ended } of hypotheses) {
          expect(ended).toBe(true);
          expect([...ids].sort((a, b) => a - b)).toEqual([...wanted[n]!].sort((a, b) => a - b));
        }
      }
    }
    const nothing: Restriction = { allows: () => false, after: () => nothing };
    expect(
      searchTransformer(translator, [[3]], { beam: 2, tokens: TOKENS, restrictions: [nothing] }),
    ).toEqual([[]]);
  });

  it("takes the longest output as a function of the source", () => {
    const never = { allows: (id: number) => id !== TOKENS.end, after: () => never };
    const restrictions = sources.map(() => never);
    const maxLength = (source: readonly number[]) => source.length + 2;
    const found = searchTransformer(translator, sources, {
      beam: 2,
      tokens: TOKENS,
      restrictions,
      maxLength,
    });
    expect(found.map(([best]) => best!.ids.length)).toEqual(sources.map(maxLength));
  });

  it("leaves no tensor behind, and answers nothing with nothing", () => {
    const before = tf.memory().numTensors;
    searchTransformer(translator, sources, { beam: 3, tokens: TOKENS, outputs: Int32Array.from([2, 3, 4]) });
    searchTransformer(translator, sources, { beam: 3, tokens: TOKENS });
    expect(tf.memory().numTensors).toBe(before);
    expect(searchTransformer(translator, [], { tokens: TOKENS })).toEqual([]);
  });

  it("refuses a beam wider than the vocabulary, an empty source and a decoder alone", () => {
    expect(() => searchTransformer(translator, [[3]], { beam: 18, tokens: TOKENS })).toThrow(
      "searchTransformer: beam must be an integer from 1 to the 17 tokens of the vocabulary, got 18; 4 is usual",
    );
    expect(() =>
      searchTransformer(translator, [[3]], { tokens: TOKENS, outputs: Int32Array.from([3, 4]) }),
    ).toThrow("outputs must hold the token that ends an output, got none of id 2; add it");
    expect(() => searchTransformer(translator, [[3]], { tokens: TOKENS, maxLength: () => 0 })).toThrow(
      "maxLength must be an integer ≥ 1, got 0",
    );
    expect(() => searchTransformer(translator, [[]], { tokens: TOKENS })).toThrow(
      "got none in source 0; leave it out",
    );
    expect(() => searchTransformer(decoder, [[3]], { tokens: TOKENS })).toThrow(
      "use generate for a decoder alone",
    );
  });
});
