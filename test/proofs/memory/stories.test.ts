import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { drawStory, type Story, storyBatch, WORDS } from "../../../proofs/memory/stories.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { useHeedBackend } from "../../../src/host/select.ts";

const draw = (facts: 1 | 2, heldOut: boolean, seed = 1) => {
  const random = new RandomStream(seed);
  return Array.from({ length: 300 }, () => drawStory(random, { facts, lengths: [2, 10], heldOut }));
};

describe.each([1, 2] as const)("generated stories of %s facts", (facts) => {
  test("have an answer that follows from the supporting sentences, and from no later one", () => {
    for (const { sentences, question, answer, supporting } of draw(facts, false)) {
      expect(sentences.length).toBeGreaterThanOrEqual(2);
      expect(sentences.length).toBeLessThanOrEqual(10);
      const move = sentences[supporting.at(-1)!]!;
      expect([move[2], move[4]]).toEqual(["to", answer]);
      const [person] = move;
      const later = sentences.slice(supporting.at(-1)! + 1);
      expect(later.filter(([who, , word]) => who === person && word === "to")).toEqual([]);
      if (facts === 1) {
        expect(question).toEqual(["where", "is", person]);
        continue;
      }
      const thing = question.at(-1)!;
      const takings = sentences.filter((sentence) => sentence.at(-1) === thing);
      expect(takings).toEqual([sentences[supporting[0]!]!]);
      expect(takings[0]![0]).toBe(person);
    }
  });

  test("are never both in training and held out", () => {
    const textOf = ({ sentences, question }: Story) =>
      [...sentences, question].map((words) => words.join(" ")).join(". ");
    const training = new Set([1, 2, 3].flatMap((seed) => draw(facts, false, seed)).map(textOf));
    expect(draw(facts, true).filter((story) => training.has(textOf(story)))).toEqual([]);
  });
});

test("a batch has the words of its stories, the first sentence first, padded with 0", async () => {
  await useHeedBackend();
  const story: Story = {
    sentences: [
      ["mary", "took", "the", "milk"],
      ["mary", "went", "to", "the", "office"],
    ],
    question: ["where", "is", "the", "milk"],
    answer: "office",
    supporting: [0, 1],
  };
  const short = { ...story, sentences: story.sentences.slice(0, 1) };
  tf.tidy(() => {
    const { stories, questions, lengths } = storyBatch([story, short]);
    const words = (ids: number[]) => ids.map((id) => WORDS[id]).join(" ");
    const [first, second] = stories.arraySync() as number[][][];
    expect(first!.map(words)).toEqual(["mary took the milk ", "mary went to the office"]);
    expect(second![1]).toEqual([0, 0, 0, 0, 0]);
    expect((questions.arraySync() as number[][]).map(words)[0]).toBe("where is the milk ");
    expect(lengths).toEqual([2, 1]);
  });
});
