import type { VowelClassifier } from "./classifier.ts";
import { composeClips, type HeardClips } from "./corpus.ts";

/** How well vowels are heard at one level of noise. */
export interface LevelScores {
  /** Signal-to-noise ratio, in decibels. */
  snr: number;
  /** Shares of the clips whose likeliest vowel is theirs: of the model, and of its baseline without a gate. */
  accuracy: number;
  baselineAccuracy: number;
  /** The share of a clip's gate on the bands of its formants and their neighbours, the mean over clips. */
  gateMass: number;
  /** The share of all bands that these are: what a gate that is open alike would have. */
  evenMass: number;
}

export interface Evaluation {
  /** At each level. */
  clips: number;
  levels: LevelScores[];
  seconds: number;
}

const LEVELS = [-6, 0, 6] as const;

/** Composes test vowels at three levels of noise, and hears them with the model and its baseline. */
export function evaluate(classifier: VowelClassifier): Evaluation {
  const { recipe } = classifier.card.training;
  const sets = LEVELS.map((snr) => composeClips(recipe, "test", snr));
  const begun = performance.now();
  const levels = LEVELS.map((snr, n): LevelScores => ({ snr, ...scores(classifier, sets[n]!) }));
  return { clips: recipe.clips.test, levels, seconds: (performance.now() - begun) / 1000 };
}

/** The scores of some clips. */
export function scores(classifier: VowelClassifier, clips: HeardClips): Omit<LevelScores, "snr"> {
  const { count, labels, informative } = clips;
  const F = informative.length / count;
  const model = classifier.predict(clips, "model");
  const baseline = classifier.predict(clips, "baseline");
  const accuracy = (said: Int32Array) => said.filter((label, n) => label === labels[n]).length / count;
  let mass = 0;
  for (let n = 0; n < count; n++) {
    const gate = model.gates.subarray(n * F, (n + 1) * F);
    const inside = gate.filter((_, f) => informative[n * F + f] === 1);
    mass += sum(inside) / sum(gate) / count;
  }
  return {
    accuracy: accuracy(model.labels),
    baselineAccuracy: accuracy(baseline.labels),
    gateMass: mass,
    evenMass: sum(informative) / informative.length,
  };
}

const sum = (values: ArrayLike<number>) =>
  Array.prototype.reduce.call(values, (a, b) => (a as number) + (b as number), 0) as number;
