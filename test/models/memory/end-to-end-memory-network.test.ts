import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { capture } from "../../../src/capture/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { EndToEndMemoryNetwork, type StoryInputs } from "../../../src/models/memory/index.ts";
import { distance, onEveryBackend, ROUNDING } from "../../attention/support.ts";
import { expectSlopes } from "./slopes.ts";

const [B, S, J, C, V, HOPS] = [2, 5, 3, 7, 11, 2];
const CONFIG = { vocabulary: V, slots: 6, words: J, width: C, hops: HOPS };

function inputs(lengths = [3, S]): StoryInputs {
  const random = new RandomStream(5);
  const words = (n: number) =>
    Int32Array.from({ length: n }, (_, e) => (e % J === 2 ? random.integer(V) : 1 + random.integer(V - 1)));
  return {
    stories: tf.tensor3d(words(B * S * J), [B, S, J], "int32"),
    questions: tf.tensor2d(words(B * J), [B, J], "int32"),
    lengths,
  };
}

/** The paper's sums, word by word, in float64. */
function reference(network: EndToEndMemoryNetwork, { stories, questions, lengths }: StoryInputs) {
  const table = (name: string) => network.parameters.variables[name]!.arraySync() as number[][];
  const encode = (words: number[], k: number) =>
    Array.from({ length: C }, (_, c) =>
      words.reduce((sum, word, j) => {
        const [at, channel] = [(j + 1) / J, (c + 1) / C];
        const weight = 1 - at - channel * (1 - 2 * at);
        return sum + (word === 0 ? 0 : weight * table(`words/${k}`)[word]![c]!);
      }, 0),
    );
  const plus = (a: number[], b: number[]) => a.map((x, c) => x + b[c]!);
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, c) => sum + x * b[c]!, 0);
  return (stories.arraySync() as number[][][]).map((story, b) => {
    const told = story.slice(0, lengths![b]);
    const memory = (k: number) =>
      told.map((sentence, i) => plus(encode(sentence, k), table(`ages/${k}`)[told.length - 1 - i]!));
    let u = encode((questions.arraySync() as number[][])[b]!, 0);
    const weights: number[][] = [];
    for (let k = 1; k <= HOPS; k++) {
      const powers = memory(k - 1).map((m) => Math.exp(dot(u, m)));
      const p = powers.map((power) => power / powers.reduce((a, x) => a + x));
      weights.push([...p, ...new Array<number>(S - p.length).fill(0)]);
      u = memory(k).reduce(
        (sum, c, i) =>
          plus(
            sum,
            c.map((x) => p[i]! * x),
          ),
        u,
      );
    }
    return { logits: table(`words/${HOPS}`).map((row) => dot(u, row)), weights };
  });
}

onEveryBackend("EndToEndMemoryNetwork", () => {
  it("answers as the paper's sums do, word by word, and says what each hop read", () => {
    const network = new EndToEndMemoryNetwork(CONFIG, 1);
    tf.tidy(() => {
      const { logits, weights } = network.answer(inputs());
      const expected = reference(network, inputs());
      expect(
        distance(
          logits.dataSync(),
          expected.flatMap((one) => one.logits),
        ),
      ).toBeLessThanOrEqual(1e-6);
      for (let hop = 0; hop < HOPS; hop++) {
        const read = expected.flatMap((one) => one.weights[hop]!);
        expect(distance(weights[hop]!.dataSync(), read)).toBeLessThanOrEqual(32 * ROUNDING);
      }
    });
    network.dispose();
  });

  it("knows the order of words and of sentences, and nothing of padding", () => {
    const network = new EndToEndMemoryNetwork(CONFIG, 1);
    tf.tidy(() => {
      const { stories, questions, lengths } = inputs();
      const answer = (stories: tf.Tensor3D) => [
        ...network.answer({ stories, questions, lengths: lengths! }).logits.dataSync(),
      ];
      const before = answer(stories);
      expect(answer(tf.reverse(stories, 2))).not.toEqual(before);
      const values = stories.dataSync().slice();
      values.fill(7, 3 * J, S * J); // beyond the first story's three sentences
      expect(answer(tf.tensor3d(values, [B, S, J], "int32"))).toEqual(before);
    });
    network.dispose();
  });

  it.each([false, true])(
    "has gradients of every parameter that agree with differences, linear: %s",
    (linear) => {
      const network = new EndToEndMemoryNetwork(CONFIG, 3);
      const given = inputs();
      expectSlopes(network.parameters, () => tf.sum(tf.square(network.answer(given, { linear }).logits)));
      network.dispose();
      tf.dispose([given.stories, given.questions]);
    },
  );

  it("leaves no tensor behind but what it returns, and is captured hop by hop", () => {
    const network = new EndToEndMemoryNetwork(CONFIG, 1);
    const given = inputs();
    const before = tf.memory().numTensors;
    const { logits, weights } = network.answer(given);
    expect(tf.memory().numTensors).toBe(before + 1 + HOPS);
    tf.dispose([logits, ...weights]);
    const trace = capture((story: StoryInputs) => network.answer(story).logits, given);
    expect(trace.layers.map(({ name }) => name)).toEqual(["memoryNetworkHop 0", "memoryNetworkHop 1"]);
    network.dispose();
    tf.dispose([given.stories, given.questions]);
  });
});

describe("EndToEndMemoryNetwork", () => {
  const refused: [
    string,
    typeof ShapeError | typeof OptionError,
    (network: EndToEndMemoryNetwork) => unknown,
    string,
  ][] = [
    [
      "a network without words",
      OptionError,
      () => new EndToEndMemoryNetwork({ ...CONFIG, vocabulary: 0 }),
      "EndToEndMemoryNetwork: vocabulary must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    ],
    [
      "sentences of another length than it was built for",
      ShapeError,
      (network) => network.answer({ ...inputs(), stories: tf.zeros([B, S, 4], "int32") }),
      "EndToEndMemoryNetwork.answer: stories must be int32 of shape [B, S, J] = [2, 5, 3], got int32 of shape [2, 5, 4]; the letters must mean the same sizes in all of the call's tensors",
    ],
    [
      "a story of more sentences than slots",
      ShapeError,
      (network) =>
        network.answer({ stories: tf.zeros([B, 7, J], "int32"), questions: tf.zeros([B, J], "int32") }),
      "EndToEndMemoryNetwork.answer: a story must have at most 6 sentences, got 7; leave the oldest out, or build with more slots",
    ],
    [
      "a story that is longer than its tensor",
      OptionError,
      (network) => network.answer(inputs([3, 6])),
      "EndToEndMemoryNetwork.answer: lengths must be B=2 integers from 0 to 5, got [3, 6]; give one length per example",
    ],
  ];
  it.each(refused)("refuses %s", (_, type, call, message) => {
    const network = new EndToEndMemoryNetwork(CONFIG, 1);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      expect(() => call(network)).toThrow(type);
      expect(() => call(network)).toThrow(expect.objectContaining({ message }));
    });
    expect(tf.memory().numTensors).toBe(before);
    network.dispose();
  });
});
