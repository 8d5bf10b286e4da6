import { DataError } from "../../core/errors.ts";
import type { LabelledImages } from "../../data/labelled-images.ts";
import type { ImageClassifier } from "./classifier.ts";
import type { ClassifierConfig } from "./config.ts";

/** How well the images of a split are classified. */
export interface Evaluation {
  images: number;
  /** The share whose likeliest class is theirs. */
  accuracy: number;
  /** The share of each class that is found, by its number; NaN where there is none of it. */
  recalls: number[];
  seconds: number;
}

/**
 * Checks that a model can be scored on these images.
 *
 * @throws DataError MISMATCH
 */
export function checkImages(op: string, { image, classes }: ClassifierConfig, images: LabelledImages): void {
  const { height, width, labels } = images;
  const refuse = (rule: string, got: string) => {
    const remedy = "take images and labels of one data set, that of the model";
    throw new DataError("MISMATCH", { op, rule, got, remedy });
  };
  if (height !== image.height || width !== image.width)
    refuse(`images must be ${image.height} × ${image.width}, as the model's`, `${height} × ${width}`);
  const other = labels.find((label) => label >= classes);
  if (other !== undefined) refuse(`labels must be below the model's ${classes} classes`, String(other));
}

/**
 * Classifies every image of a split and counts what is right.
 *
 * @throws DataError MISMATCH where the images have another size or other classes than the model's
 */
export function evaluate(classifier: ImageClassifier, split: LabelledImages): Evaluation {
  const { model } = classifier.card;
  checkImages("evaluate", model, split);
  const { classes } = model;
  const { count, labels, pixels } = split;
  const begun = performance.now();
  const found = classifier.classify(pixels);
  const seconds = (performance.now() - begun) / 1000;
  const [right, all] = [new Float64Array(classes), new Float64Array(classes)];
  for (const [n, { label }] of found.entries()) {
    all[labels[n]!]!++;
    if (label === labels[n]) right[label]!++;
  }
  const accuracy = right.reduce((sum, n) => sum + n, 0) / count;
  return { images: count, accuracy, recalls: Array.from(right, (n, c) => n / all[c]!), seconds };
}
