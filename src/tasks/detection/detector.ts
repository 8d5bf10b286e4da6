import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { type Detection, readDetections } from "../../models/set/detection-transformer.ts";
import { tidyData } from "../../ops/tidy.ts";
import { SCENE_SIDE } from "../scenes/compose.ts";
import type { DraftCard } from "./card.ts";
import type { DetectorModel } from "./read.ts";

/** An item that was found in a scene. */
export interface FoundItem extends Detection {
  /** The name of its class. */
  readonly name: string;
  /** What its query looked at, a mean over the heads: [rows·columns], which sums to 1. */
  readonly attention: Float32Array;
}

/** All that is to be seen of one scene. */
export interface SceneLook {
  readonly found: FoundItem[];
  /** What each head of each item's query looked at in the last layer: [heads][items][rows·columns], flat. */
  readonly heads: Float32Array;
  /** What each cell read in the non-local block, [rows·columns, rows·columns]; undefined without one. */
  readonly cells?: Float32Array;
  readonly grid: readonly [rows: number, columns: number];
}

const OP = "ItemDetector";
const BATCH_SCENES = 50;

/**
 * Finds items in scenes with a trained detector, and shows what each query looked at.
 *
 * @example
 * const detector = await loadDetector();
 * detector.detect(new Uint8Array(64 * 64)); // [[]]
 * detector.dispose();
 */
export class ItemDetector {
  readonly card: DraftCard;
  readonly #model: DetectorModel["model"];

  constructor({ card, model }: Pick<DetectorModel<DraftCard>, "card" | "model">) {
    this.card = card;
    this.#model = model;
  }

  /**
   * @param pixels [N, 64, 64], 0 (background) … 255
   * @param options.least the least score of what counts as found @default 0.5
   * @returns the items of each scene, those of the highest score first
   * @throws ShapeError SHAPE
   */
  detect(pixels: Uint8Array, { least = 0.5 }: { least?: number } = {}): FoundItem[][] {
    return this.look(pixels, { least }).map(({ found }) => found);
  }

  /**
   * The same with all that was looked at.
   *
   * @throws ShapeError SHAPE
   */
  look(pixels: Uint8Array, { least = 0.5 }: { least?: number } = {}): SceneLook[] {
    const size = SCENE_SIDE ** 2;
    if (pixels.length === 0 || pixels.length % size !== 0) throw refusal(pixels);
    const looks: SceneLook[] = [];
    for (let from = 0; from < pixels.length; from += BATCH_SCENES * size)
      looks.push(...this.#look(pixels.subarray(from, from + BATCH_SCENES * size), least));
    return looks;
  }

  dispose(): void {
    this.#model.dispose();
  }

  #look(pixels: Uint8Array, least: number): SceneLook[] {
    const { labels } = this.card;
    return tidyData(() => {
      const said = this.#model.forward(pixels, { attention: true });
      const { attention, cells, grid } = said;
      const [, H, Q, S] = attention.shape;
      const all = attention.dataSync<"float32">();
      const means = tf.mean(attention, 1).dataSync<"float32">();
      const read = cells?.dataSync<"float32">();
      return readDetections(said, least).map((detections, b) => {
        const found = detections.map((detection): FoundItem => {
          const row = (b * Q + detection.query) * S;
          return { ...detection, name: labels[detection.label]!, attention: means.slice(row, row + S) };
        });
        const heads = new Float32Array(H * found.length * S);
        for (let h = 0; h < H; h++)
          for (const [n, { query }] of found.entries()) {
            const row = ((b * H + h) * Q + query) * S;
            heads.set(all.subarray(row, row + S), (h * found.length + n) * S);
          }
        return { found, heads, grid, ...(read && { cells: read.slice(b * S * S, (b + 1) * S * S) }) };
      });
    });
  }
}

function refusal({ length }: Uint8Array): ShapeError<"SHAPE"> {
  const rule = `pixels must be whole scenes of ${SCENE_SIDE}·${SCENE_SIDE} pixels`;
  const remedy = "pass grey scenes as bytes, row by row";
  return new ShapeError("SHAPE", { op: OP, rule, got: `${length} bytes`, remedy });
}
