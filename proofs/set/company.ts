import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { locateImages } from "../../src/data/labelled-images.ts";
import { convolutionalGrid, convolutionalGridSpecs } from "../../src/models/convolutional-grid.ts";
import { dense, denseSpecs } from "../../src/models/maps.ts";
import { Parameters } from "../../src/models/parameters.ts";
import { averagePrecision } from "../../src/models/set/average-precision.ts";
import type { BoundingBox } from "../../src/models/set/bounding-boxes.ts";
import { nonLocalSpecs, readAllCells } from "../../src/models/set/detection/non-local.ts";
import { type AnchorPoint, boxesAround, placesOfGrid } from "../../src/models/set/detection/places.ts";
import { DetectionTransformer } from "../../src/models/set/detection-transformer.ts";
import type { SceneObject } from "../../src/models/set/matching.ts";
import { type SetPrediction, setPredictionLoss } from "../../src/models/set/set-prediction-loss.ts";
import { softmaxCrossEntropy } from "../../src/ops/softmax-cross-entropy.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { scenePixels, scenesAt } from "../../src/tasks/scenes/batches.ts";
import { startGrid } from "../../src/tasks/scenes/grid/files.ts";
import { type ItemPool, readItemPools } from "../../src/tasks/scenes/item-pool.ts";
import { sceneTensor } from "../../src/tasks/scenes/scene-tensor.ts";
import { part } from "../claim.ts";
import { descend, prepare } from "../descend.ts";

export interface CompanyOptions {
  /** @default 1 */
  seed?: number;
  /** Folder of Fashion-MNIST. @default where it was fetched */
  data?: string;
  /** Detectors to train. @default all four */
  only?: readonly DetectorName[];
  /** Steps of detectors whose cells speak, and of those with queries. @default 800 and 500 */
  steps?: readonly [cells: number, queries: number];
  onProgress: (share: number) => void;
}

/**
 * Average precision, at an overlap of half, of the class of items that stand in a scene with a bag: in scenes of test items.
 * `cells`: each cell says what stands over it, behind a non-local block; `localCells`: the same without the block. `queries`:
 * object queries behind the block; `queriesAlone`: without it. `share`: how many of the items that are no bag stand in such a
 * scene, which is the precision of guessing.
 */
export type CompanyResult = Record<DetectorName | "share", number>;

const NAMES = ["cells", "localCells", "queries", "queriesAlone"] as const;
export type DetectorName = (typeof NAMES)[number];

const BATCH = 32;
const [TRAIN, HELD_OUT] = [6000, 600];
/** Labels: an item of a scene without a bag, an item of a scene with one, a bag; then nothing. */
const [APART, BESIDE, BAG, LABELS] = [0, 1, 2, 3];
const SIDE = 8;
const [FEATURES, C, D, F] = [96, 64, 32, 128];
/** Of cells with nothing in their middle, which are many; and of boxes, as `setPredictionLoss` has it. */
const [OF_NOTHING, OF_DISTANCE] = [0.2, 5];

/** Scenes as the cells of the grid that ships, which stays as it is, with the items relabelled. */
interface Seen {
  /** [scenes, SIDE·SIDE·FEATURES] */
  features: tf.Tensor2D;
  objects: SceneObject[][];
}

/**
 * Scenes of two to four items, of which the class of each that is no bag is whether a bag stands in its scene, wherever: what
 * the item itself looks like says nothing of it.
 */
function lookAt(items: ItemPool, grid: Parameters, seed: number, count: number): Seen {
  const scenes = scenesAt(items, seed, 0, count, { least: 2 });
  const parts: tf.Tensor2D[] = [];
  for (let from = 0; from < count; from += 100) {
    const pixels = scenePixels(scenes.slice(from, from + 100));
    parts.push(
      tf.tidy(() => {
        const cells = convolutionalGrid(grid, "grid", sceneTensor(pixels));
        return tf.reshape(cells, [-1, SIDE * SIDE * FEATURES]);
      }),
    );
  }
  const features = tf.concat(parts);
  tf.dispose(parts);
  const bag = items.names.indexOf("bag");
  const objects = scenes.map(({ items: own }) => {
    const label = own.some((one) => one.label === bag) ? BESIDE : APART;
    return own.map((one) => ({ label: one.label === bag ? BAG : label, box: one.box }));
  });
  return { features, objects };
}

const asGrid = (features: tf.Tensor2D): tf.Tensor4D => tf.reshape(features, [-1, SIDE, SIDE, FEATURES]);

const cellCentres: AnchorPoint[] = Array.from({ length: SIDE * SIDE }, (_, n) => {
  return [((n % SIDE) + 0.5) / SIDE, (Math.floor(n / SIDE) + 0.5) / SIDE];
});

interface Detector {
  variables: Readonly<Record<string, tf.Variable>>;
  loss(features: tf.Tensor4D, objects: SceneObject[][]): tf.Scalar;
  say(features: tf.Tensor4D): SetPrediction;
  dispose(): void;
}

/** Every cell says what has its middle there, and sees no other cell unless the block lets it. */
function cellDetector(seed: number, hasBlock: boolean): Detector {
  const specs = {
    ...denseSpecs("input", FEATURES, C),
    ...(hasBlock && nonLocalSpecs("non-local", C, D)),
    ...{ ...denseSpecs("inner", C, F), ...denseSpecs("class", F, LABELS + 1), ...denseSpecs("box", F, 4) },
  };
  const p = Parameters.start("cellDetector", specs, seed);
  const say = (features: tf.Tensor4D): SetPrediction => {
    const own = tf.reshape(dense(p, "input", features), [features.shape[0], SIDE * SIDE, C]) as tf.Tensor3D;
    const cells = hasBlock ? readAllCells(p, "non-local", own, placesOfGrid([SIDE, SIDE], C)).output : own;
    const inner = tf.relu(dense(p, "inner", tf.relu(cells)));
    return { logits: dense(p, "class", inner), boxes: boxesAround(cellCentres, dense(p, "box", inner)) };
  };
  return {
    variables: p.variables,
    say,
    loss(features, objects) {
      const { logits, boxes } = say(features);
      const rows: number[] = [];
      const labels = new Int32Array(objects.length * SIDE * SIDE).fill(LABELS);
      const counts = new Float32Array(labels.length).fill(OF_NOTHING);
      const all = objects.flatMap((own, b) => own.map((one) => ({ ...one, b })));
      for (const { label, box, b } of all) {
        const cell = Math.floor(box[1] * SIDE) * SIDE + Math.floor(box[0] * SIDE);
        rows.push(b * SIDE * SIDE + cell);
        labels[rows.at(-1)!] = label;
        counts[rows.at(-1)!] = 1;
      }
      const flat = tf.reshape(logits, [-1, LABELS + 1]) as tf.Tensor2D;
      const losses = softmaxCrossEntropy(flat, tf.tensor1d(labels, "int32"), {
        weights: tf.tensor1d(counts),
      });
      const chosen = tf.gather(tf.reshape(boxes, [-1, 4]), tf.tensor1d(rows, "int32"));
      const wanted = tf.tensor2d(all.map(({ box }) => [...box]));
      const distance = tf.div(tf.sum(tf.abs(tf.sub(chosen, wanted))), rows.length);
      const classification = tf.div(
        tf.sum(losses),
        counts.reduce((sum, n) => sum + n, 0),
      );
      return tf.add<tf.Scalar>(classification, tf.mul(distance, OF_DISTANCE));
    },
    dispose: () => p.dispose(),
  };
}

/** Object queries, which read all cells and each other. */
function queryDetector(seed: number, hasBlock: boolean): Detector {
  const model = new DetectionTransformer(
    {
      ...{ channels: FEATURES, convolutions: [], nonLocal: hasBlock ? D : 0, width: C, heads: 4, inner: F },
      ...{ encoderLayers: 0, decoderLayers: 2, queries: 9, classes: LABELS },
    },
    seed,
  );
  return {
    variables: model.parameters.variables,
    say(features) {
      const { logits, boxes } = model.forward(features);
      return { logits, boxes };
    },
    loss: (features, objects) => {
      const { earlier, ...last } = model.forward(features);
      return tf.addN([last, ...earlier].map((said) => setPredictionLoss(said, objects).loss)) as tf.Scalar;
    },
    dispose: () => model.dispose(),
  };
}

interface Training {
  seed: number;
  steps: number;
  train: Seen;
  test: Seen;
  onProgress(share: number): void;
}

/** Trains one detector, and gives the average precision of the items beside a bag in held-out scenes. */
async function precisionOf(detector: Detector, { seed, steps, train, test, onProgress }: Training) {
  const random = new RandomStream(seed, 1);
  const loss = () => {
    const chosen = Array.from({ length: BATCH }, () => random.integer(TRAIN));
    const features = asGrid(tf.gather(train.features, tf.tensor1d(chosen, "int32")));
    return detector.loss(
      features,
      chosen.map((n) => train.objects[n]!),
    );
  };
  try {
    await descend(detector.variables, loss, { steps, learningRate: 2e-3, clipNorm: 1, onProgress });
    // Ranked by the chance of this class, whichever is the likeliest: a detector that is never sure is told apart from one that errs.
    const { chances, places } = tidyData(() => {
      const { logits, boxes } = detector.say(asGrid(test.features));
      return { chances: tf.softmax(logits).arraySync(), places: boxes.arraySync() };
    });
    return averagePrecision(
      chances.map((scene, n) => ({
        found: scene.map((all, query) => ({
          ...{ label: BESIDE, score: all[BESIDE]!, query },
          box: places[n]![query] as unknown as BoundingBox,
        })),
        objects: test.objects[n]!.filter(({ label }) => label === BESIDE),
      })),
    );
  } finally {
    detector.dispose();
  }
}

/** The four detectors of one seed. */
export async function learnCompany(options: CompanyOptions): Promise<Partial<CompanyResult>> {
  const { seed = 1, data, only = NAMES, steps: [ofCells, ofQueries] = [800, 500], onProgress } = options;
  await prepare();
  const pools = readItemPools(locateImages("fashion-mnist", data === undefined ? {} : { dir: data }));
  const grid = Parameters.start("learnCompany", convolutionalGridSpecs("grid"), startGrid("scene-grid"));
  const [train, test] = [
    lookAt(pools.train, grid, seed, TRAIN),
    // Scenes of another seed, of items that no scene before had.
    lookAt(pools.test, grid, 0, HELD_OUT),
  ];
  grid.dispose();
  const all = test.objects.flat().filter(({ label }) => label !== BAG);
  const result: Partial<CompanyResult> = {
    share: all.filter(({ label }) => label === BESIDE).length / all.length,
  };
  try {
    for (const [at, name] of only.entries()) {
      const isOfCells = name === "cells" || name === "localCells";
      const hasBlock = name === "cells" || name === "queries";
      const detector = (isOfCells ? cellDetector : queryDetector)(seed, hasBlock);
      const steps = isOfCells ? ofCells : ofQueries;
      const training = { seed, steps, train, test, onProgress: part(onProgress, at, only.length) };
      result[name] = await precisionOf(detector, training);
    }
  } finally {
    tf.dispose([train.features, test.features]);
  }
  return result;
}
