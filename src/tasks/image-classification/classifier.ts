import * as tf from "@tensorflow/tfjs-core";
import { capture } from "../../capture/capture.ts";
import { ShapeError } from "../../core/errors.ts";
import type { Trace } from "../../inspect/index.ts";
import type { Transformer } from "../../models/transformer/transformer.ts";
import { tidyData } from "../../ops/tidy.ts";
import { encodePng } from "../../viz/index.ts";
import type { DraftCard } from "./card.ts";
import { gridOf } from "./config.ts";
import { encodeImages } from "./encode.ts";
import type { ClassifierModel } from "./read.ts";

/** What an image was taken for. */
export interface Classification {
  /** The number of the class, and its name. */
  label: number;
  name: string;
  /** Of each class, by its number; they sum to 1. */
  probabilities: Float32Array;
}

const OP = "ImageClassifier";
const BATCH_SIZE = 250;

/**
 * Classifies grey images with a trained Vision Transformer, and shows what it looked at.
 *
 * @example
 * const classifier = await loadClassifier();
 * const [{ name, probabilities }] = classifier.classify(new Uint8Array(28 * 28));
 * [name.length > 0, probabilities.length]; // [true, 10]
 * classifier.dispose();
 */
export class ImageClassifier {
  readonly card: DraftCard;
  readonly #model: Transformer;

  constructor({ card, model }: ClassifierModel) {
    this.card = card;
    this.#model = model;
  }

  /**
   * @param pixels [N, height, width], 0 (background) … 255
   * @returns one entry an image, in order
   * @throws ShapeError SHAPE
   */
  classify(pixels: Uint8Array): Classification[] {
    const { labels, model } = this.card;
    const size = this.#sizeOf(pixels);
    const found: Classification[] = [];
    for (let from = 0; from < pixels.length; from += BATCH_SIZE * size) {
      const batch = pixels.subarray(from, from + BATCH_SIZE * size);
      const shares = tidyData(() => tf.softmax(this.#scores(batch)).dataSync<"float32">());
      for (let at = 0; at < shares.length; at += model.classes) {
        const probabilities = shares.slice(at, at + model.classes);
        const label = probabilities.indexOf(Math.max(...probabilities));
        found.push({ label, name: labels[label]!, probabilities });
      }
    }
    return found;
  }

  /**
   * What the layers looked at in one image: a trace with the image and its patches, for `rollout` and the views.
   *
   * @param pixels [height, width]
   * @throws ShapeError SHAPE
   */
  look(pixels: Uint8Array): Trace {
    const { height, width, patch } = this.card.model.image;
    if (this.#sizeOf(pixels) !== pixels.length)
      throw refusal(`one image of ${height}·${width} pixels`, pixels);
    const [rows, columns] = gridOf(this.card.model.image);
    const patches = Array.from({ length: rows * columns }, (_, n) => {
      return `${Math.floor(n / columns) + 1}:${(n % columns) + 1}`;
    });
    const image = encodePng({ height, width, channels: 1, data: pixels });
    const grid = { height: rows, width: columns, patch, cls: 1 };
    const tokens = { patches: ["[class]", ...patches] };
    return capture(() => this.#scores(pixels), undefined, { image, grid, tokens });
  }

  dispose(): void {
    this.#model.dispose();
  }

  #scores(pixels: Uint8Array): tf.Tensor2D {
    return this.#model.classLogits(encodeImages(this.#model, pixels, this.card.model.image));
  }

  /** Pixels of one image. */
  #sizeOf(pixels: Uint8Array): number {
    const { height, width } = this.card.model.image;
    if (pixels.length > 0 && pixels.length % (height * width) === 0) return height * width;
    throw refusal(`whole images of ${height}·${width} pixels`, pixels);
  }
}

function refusal(must: string, { length }: Uint8Array): ShapeError<"SHAPE"> {
  const remedy = "pass grey images as bytes, row by row";
  return new ShapeError("SHAPE", {
    op: OP,
    rule: `pixels must be ${must}`,
    got: `${length} bytes`,
    remedy,
  });
}
