import * as tf from "@tensorflow/tfjs-core";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { type Asked, tidy, tidyAsked, tidyData } from "../../ops/tidy.ts";
import { convolution, dense, normalized } from "../maps.ts";
import { Parameters } from "../parameters.ts";
import type { BoundingBox } from "./bounding-boxes.ts";
import { attended, think } from "./detection/blocks.ts";
import { checkDetectionConfig, type DetectionTransformerConfig, detectionSpecs } from "./detection/config.ts";
import { readAllCells } from "./detection/non-local.ts";
import { anchorPoints, boxesAround, encodedPlaces, placesOfGrid } from "./detection/places.ts";
import type { SceneObject } from "./matching.ts";
import {
  type SetPrediction,
  type SetPredictionLoss,
  type SetPredictionLossOptions,
  setPredictionLoss,
} from "./set-prediction-loss.ts";

export type { DetectionTransformerConfig } from "./detection/config.ts";

export interface DetectionOptions {
  /**
   * Return what each query looked at in the last layer, [B, H, Q, rows·columns], and what each cell read in the non-local
   * block where there is one, [B, rows·columns, rows·columns]. @default false
   */
  attention?: boolean;
}

export type DetectionOutput<O> = SetPrediction & {
  /** What the layers before the last say, for their losses. */
  readonly earlier: readonly SetPrediction[];
  /** Rows and columns of the grid that the queries read. */
  readonly grid: readonly [rows: number, columns: number];
  /** What the cells read, with `attention` and a non-local block alone. */
  readonly cells?: tf.Tensor3D;
} & Asked<O, "attention", tf.Tensor4D>;

/** One object that was found. */
export interface Detection {
  readonly label: number;
  /** The probability of the label. */
  readonly score: number;
  readonly box: BoundingBox;
  /** The query that found it: row `query` of the attention. */
  readonly query: number;
}

/**
 * Detection transformer: learned object queries read a grid of features, and each says what it found, and where.
 *
 *     grid      image or features → convolutions of stride 2 → a map → a non-local block → encoder layers of self-attention
 *     queries   decoder layers: queries read each other, then the grid → class and box of each
 *
 * Shapes: x [B, H, W, Cin] → logits [B, Q, classes + 1], boxes [B, Q, 4] (centre x, y, width, height as shares), attention
 * [B, H, Q, rows·columns].
 * Conventions: positions are added to queries and keys of every attention, not to values. Each query has a place of its own
 * to begin with: an even grid of points, whose encoding is part of its query and to which the centre of its box is relative
 * (anchor points; Wang et al. 2021, arxiv.org/abs/2109.07107), where the paper's queries have to learn where they look.
 * The non-local block (`nonLocal` of the configuration; Wang et al. 2018, arxiv.org/abs/1711.07971) is left out unless asked for.
 * Norms stand before sublayers. `loss` adds the losses of all decoder layers. Methods that return tensors leave them to the
 * caller's `tf.tidy`; `parameters.variables` are what is saved.
 * Paper: Carion et al. 2020 (DETR), §3, arxiv.org/abs/2005.12872.
 *
 * @example
 * const sizes = { channels: 3, convolutions: [4, 8], width: 8, heads: 2, inner: 16, queries: 5, classes: 2 };
 * const model = new DetectionTransformer({ ...sizes, encoderLayers: 1, decoderLayers: 2 }, 1);
 * const { boxes, attention, grid } = model.forward(tf.ones([2, 16, 24, 3]), { attention: true });
 * boxes.shape; // [2, 5, 4]
 * grid; // [4, 6]
 * attention.shape; // [2, 2, 5, 24]
 * model.dispose();
 */
export class DetectionTransformer {
  readonly config: DetectionTransformerConfig;
  readonly parameters: Parameters;

  /**
   * @param start a seed of the first values, or the values by name
   * @throws OptionError OPTION, UNKNOWN, CONFLICT where the configuration is none · ShapeError SHAPE, UNKNOWN
   */
  constructor(
    config: DetectionTransformerConfig,
    start: number | Readonly<Record<string, Float32Array>> = 0,
  ) {
    checkDetectionConfig("DetectionTransformer", config);
    this.config = { ...config };
    this.parameters = Parameters.start("DetectionTransformer", detectionSpecs(config), start);
  }

  /**
   * What the queries say of images, or of features where there are no convolutions.
   *
   * @throws ShapeError RANK, SHAPE
   */
  forward<const O extends DetectionOptions>(x: tf.Tensor4D, options: O = {} as O): DetectionOutput<O> {
    const { channels, width: C, heads, encoderLayers, decoderLayers, queries: Q } = this.config;
    checkRank("DetectionTransformer", "x [B, H, W, Cin]", x, 4);
    const [B, H, W] = x.shape;
    const shape = [B, H, W, channels];
    checkTensors("DetectionTransformer", [{ name: "x", tensor: x, letters: "[B, H, W, Cin]", shape }]);
    const wanted = (options as DetectionOptions).attention;
    return tidyAsked((): DetectionOutput<DetectionOptions> => {
      const p = this.parameters;
      const features = this.#features(x);
      const [, rows, columns] = features.shape;
      const S = rows * columns;
      const places = placesOfGrid([rows, columns], C);
      let memory = tf.reshape(dense(p, "input", features), [B, S, C]) as tf.Tensor3D;
      const cells = this.config.nonLocal ? readAllCells(p, "non-local", memory, places, wanted) : undefined;
      memory = cells?.output ?? memory;
      for (let n = 0; n < encoderLayers; n++) {
        const name = `encoder/${n}`;
        memory = attended(p, `${name}/self`, heads, memory, {
          queryPlaces: places,
          keyPlaces: places,
        }).output;
        memory = think(p, `${name}/feed`, memory);
      }
      memory = normalized(p, "encoder/norm", memory);
      const anchors = anchorPoints(Q);
      const starts = anchors.map(([x, y]) => [y * rows - 0.5, x * columns - 0.5] as const);
      const own = tf.add(encodedPlaces(starts, C), p.matrix("queries")) as tf.Tensor2D;
      let queries: tf.Tensor3D = tf.zeros([B, Q, C]);
      let attention: tf.Tensor4D | undefined;
      const said: SetPrediction[] = [];
      for (let n = 0; n < decoderLayers; n++) {
        const name = `decoder/${n}`;
        queries = attended(p, `${name}/self`, heads, queries, { queryPlaces: own, keyPlaces: own }).output;
        const isLast = n === decoderLayers - 1;
        const reading = { memory, queryPlaces: own, keyPlaces: places, weights: isLast && wanted === true };
        const read = attended(p, `${name}/cross`, heads, queries, reading);
        attention = read.weights;
        queries = think(p, `${name}/feed`, read.output);
        said.push(this.#say(queries, anchors));
      }
      const last = said.pop()!;
      const seen = { ...(attention && { attention }), ...(cells?.weights && { cells: cells.weights }) };
      return { ...last, earlier: said, grid: [rows, columns], ...seen };
    });
  }

  /**
   * The loss of a batch, with those of the layers before the last added; the parts are those of the last.
   *
   * @param objects B lists of what the scenes hold
   * @throws ShapeError RANK, SHAPE · OptionError OPTION, NOT_FINITE
   */
  loss(
    x: tf.Tensor4D,
    objects: readonly (readonly SceneObject[])[],
    options: SetPredictionLossOptions = {},
  ): SetPredictionLoss {
    return tidy(() => {
      const { earlier, ...last } = this.forward(x);
      const parts = setPredictionLoss(last, objects, options);
      const before = earlier.map((said) => setPredictionLoss(said, objects, options).loss);
      return { ...parts, loss: tf.addN([parts.loss, ...before]) as tf.Scalar };
    });
  }

  /**
   * The objects of each scene, those of the highest score first.
   *
   * @param options.least the least score, 0.5 if left out; 0 gives one object a query, as measures of precision want it
   * @throws ShapeError RANK, SHAPE
   */
  detect(x: tf.Tensor4D, { least = 0.5 }: { least?: number } = {}): Detection[][] {
    return tidyData(() => readDetections(this.forward(x), least));
  }

  dispose(): void {
    this.parameters.dispose();
  }

  /** Images after the convolutions, each of which halves rows and columns. */
  #features(x: tf.Tensor4D): tf.Tensor4D {
    const p = this.parameters;
    return this.config.convolutions.reduce(
      (image, _, n) => tf.relu(convolution(p, `convolution/${n}`, image, 2)),
      x,
    );
  }

  /** Classes and boxes of queries [B, Q, C]; centres are relative to the queries' points. */
  #say(queries: tf.Tensor3D, anchors: readonly (readonly [number, number])[]): SetPrediction {
    const p = this.parameters;
    const x = normalized(p, "decoder/norm", queries);
    const inner = tf.relu(dense(p, "box/1", tf.relu(dense(p, "box/0", x))));
    return { logits: dense(p, "class", x), boxes: boxesAround(anchors, dense(p, "box/output", inner)) };
  }
}

/**
 * What queries found in each scene, the highest score first.
 *
 * @param least the least score of what counts as found
 */
export function readDetections({ logits, boxes }: SetPrediction, least: number): Detection[][] {
  const [chances, places] = tidyData(() => [tf.softmax(logits).arraySync(), boxes.arraySync()] as const);
  return chances.map((scene, b) =>
    scene
      .map((all, query): Detection => {
        const classes = all.slice(0, -1);
        const score = Math.max(...classes);
        const box = places[b]![query] as unknown as BoundingBox;
        return { label: classes.indexOf(score), score, box, query };
      })
      .filter(({ score }) => score >= least)
      .sort((a, b) => b.score - a.score),
  );
}
