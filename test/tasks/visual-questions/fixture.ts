import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { RandomStream } from "../../../src/core/random.ts";
import {
  DEFAULT_VISUAL_QUESTIONS_RECIPE,
  type VisualQuestionsRecipe,
} from "../../../src/tasks/visual-questions/index.ts";
import { encodePng } from "../../../src/viz/index.ts";

/** A recipe that trains in a few seconds, over the made-up items of scenes, from a grid of random numbers that stays so. */
export const TINY_RECIPE: VisualQuestionsRecipe = {
  ...DEFAULT_VISUAL_QUESTIONS_RECIPE,
  data: "tiny",
  grid: "",
  model: { positions: 5, layers: 2, width: 8, heads: 2, inner: 7 },
  epochs: 2,
  gridEpochs: 0,
  epochScenes: 14,
  sceneQuestions: 3,
  shardPictures: 2,
  shards: 2,
  warmupSteps: 2,
  evaluateEvery: 3,
  validationScenes: 5,
  testScenes: 7,
};

/** Pictures of 16 × 32 that are dark or light, with statements about them that are true or false. */
export function tinyRows(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "heed-rows-"));
  mkdirSync(path.join(dir, "images"));
  const random = new RandomStream(4);
  for (const [split, count] of [
    ["train", 24],
    ["valid", 5],
    ["test", 7],
  ] as const) {
    const lines = Array.from({ length: count }, (_, n) => {
      const isLight = n % 2 === 0;
      const data = Uint8Array.from({ length: 16 * 32 }, () => (isLight ? 200 : 20) + random.integer(30));
      const image = `images/${split}-${n}.png`;
      writeFileSync(path.join(dir, image), encodePng({ height: 16, width: 32, channels: 1, data }));
      const saysLight = random.integer(2) === 0;
      return JSON.stringify({
        image,
        sentence: saysLight ? "The picture is light." : "The picture is dark.",
        label: saysLight === isLight,
      });
    });
    writeFileSync(path.join(dir, `${split}.jsonl.gz`), gzipSync(`${lines.join("\n")}\n`));
  }
  return dir;
}
