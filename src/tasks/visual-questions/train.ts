import type { CoAttentionConfig, CoAttentionTransformer } from "../../models/co-attention-transformer.ts";
import { tidyData } from "../../ops/tidy.ts";
import { linearSchedule } from "../../train/schedule.ts";
import { ShardTraining } from "../../train/shard-training.ts";
import { ShardPool } from "../../train/shards.ts";
import { startGrid } from "../scenes/grid/files.ts";
import type { AskedPicture, QuestionCorpus } from "./corpus.ts";
import { encodeBatch, gridOf, pictureTensor } from "./encode.ts";
import { groundedWords } from "./grounding.ts";
import type { VisualQuestionsRecipe } from "./recipe.ts";
import { createShard, type QuestionShard, type ShardBatch, type ShardInit } from "./shard.ts";

export const OP = "heed train visual-questions";

export interface QuestionTraining {
  readonly training: ShardTraining<ShardBatch>;
  readonly shard: QuestionShard;
  readonly batchPictures: number;
}

export const configOf = (recipe: VisualQuestionsRecipe, corpus: QuestionCorpus): CoAttentionConfig => ({
  ...recipe.model,
  positions: corpus.positions,
  vocabulary: corpus.vocabulary.size,
  answers: corpus.answers.length,
});

/** The run of a recipe over a corpus: what batch k is, and at which rate it is learnt. */
export async function startTraining(
  recipe: VisualQuestionsRecipe,
  corpus: QuestionCorpus,
  threads: number,
): Promise<QuestionTraining> {
  const { seed, shards, shardPictures, epochs, learningRate: peak, warmupSteps, clipNorm } = recipe;
  const { groundingWeight, trainGrid } = recipe;
  const grid = recipe.grid === "" ? undefined : startGrid(recipe.grid);
  const config = configOf(recipe, corpus);
  const batchPictures = shards * shardPictures;
  const stepsOf = (passes: number) => Math.ceil((passes * corpus.epochPictures) / batchPictures);
  const [keptSteps, gridSteps] = [stepsOf(epochs), stepsOf(recipe.gridEpochs)];
  const module = { createShard, url: new URL("./shard.js", import.meta.url) };
  const learns = trainGrid || gridSteps > 0;
  const init: ShardInit = { config, seed, groundingWeight, trainGrid: learns, ...(grid && { grid }) };
  const pool = await ShardPool.start<ShardInit, ShardBatch>(module, init, Math.min(threads, shards));
  const shard = pool.model as QuestionShard;
  const kept = trainGrid ? undefined : new Features(shard.model, corpus);
  const batchAt = (k: number) => {
    const features = k < keptSteps ? kept : undefined;
    const cut = Array.from({ length: shards }, (_, i) => {
      const n = k * batchPictures + i * shardPictures;
      return shardOf(corpus, config.positions, features, n, shardPictures);
    });
    const sum = (of: (shard: (typeof cut)[number]) => number) =>
      cut.reduce((all, shard) => all + of(shard), 0);
    const asked = sum(({ answers }) => answers.length);
    const named = Math.max(
      1,
      sum(({ grounded }) => grounded.words.length / 2),
    );
    return { shards: cut.map((shard): ShardBatch => ({ ...shard, asked, named })), tokens: batchPictures };
  };
  const rate = linearSchedule({ peak, warmupSteps, steps: keptSteps });
  const gridRate = gridSteps > 0 ? linearSchedule({ peak: recipe.gridLearningRate, steps: gridSteps }) : rate;
  const training = new ShardTraining({
    op: OP,
    pool,
    steps: keptSteps + gridSteps,
    batchAt,
    learningRate: (k) => (k < keptSteps ? rate(k) : gridRate(k - keptSteps)),
    adam: { clipNorm },
    recipe,
    data: corpus.checksum,
  });
  return { training, shard, batchPictures };
}

/** Pictures number `n` … `n + count − 1` of a run with their questions, as a shard reads them. */
function shardOf(
  corpus: QuestionCorpus,
  positions: number,
  features: Features | undefined,
  n: number,
  count: number,
) {
  const { height, width, vocabulary, answers } = corpus;
  const pictures = corpus.train(n, count, { fresh: !features });
  const { pixels, questions, asked } = encodeBatch(pictures, vocabulary, positions);
  const read = features?.of(pictures) ?? {
    pictures: pixels,
    shape: [height, width, 1] as [number, number, number],
  };
  const numbers = asked.map(({ answer }) => answers.indexOf(answer));
  const grounded = groundedWords(asked, gridOf({ height, width }));
  return { ...read, questions, answers: Int32Array.from(numbers), grounded };
}

/** Features of training pictures by a grid that does not learn: each is looked at once, and kept. */
class Features {
  readonly #model: CoAttentionTransformer;
  readonly #size: { readonly height: number; readonly width: number };
  readonly #kept = new Map<number, Float32Array>();
  #shape: [number, number, number] = [0, 0, 0];

  constructor(model: CoAttentionTransformer, { height, width }: QuestionCorpus) {
    this.#model = model;
    this.#size = { height, width };
  }

  of(pictures: readonly AskedPicture[]): Pick<ShardBatch, "pictures" | "shape"> {
    const all = pictures.map((picture) => this.#ofOne(picture));
    const joined = new Float32Array(all.length * all[0]!.length);
    for (const [n, one] of all.entries()) joined.set(one, n * one.length);
    return { pictures: joined, shape: this.#shape };
  }

  #ofOne({ number, pixels }: AskedPicture): Float32Array {
    const known = this.#kept.get(number!);
    if (known) return known;
    const made = tidyData(() => {
      const grid = this.#model.features(pictureTensor(pixels, this.#size));
      this.#shape = grid.shape.slice(1) as [number, number, number];
      return grid.dataSync<"float32">();
    });
    this.#kept.set(number!, made);
    return made;
  }
}
