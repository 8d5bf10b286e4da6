import * as tf from "@tensorflow/tfjs-core";
import { capture } from "../../capture/capture.ts";
import { DataError } from "../../core/errors.ts";
import type { Sound } from "../../data/wav.ts";
import type { Trace } from "../../inspect/index.ts";
import type { GatedBandClassifier } from "../../models/gated/index.ts";
import { tidyData } from "../../ops/tidy.ts";
import { type Compared, ComparedModels } from "../compared-models.ts";
import { bandEdges, bandEnergies, frameCount } from "./bands.ts";
import type { DraftCard } from "./card.ts";
import type { HeardClips } from "./corpus.ts";
import { resample } from "./resample.ts";
import { VOWELS } from "./vowels.ts";

/** How far a band is open. */
export interface BandGate {
  /** Of its middle. */
  hertz: number;
  /** 0 to 1 */
  gate: number;
}

/** What a sound was taken for. */
export interface HeardVowel {
  /** In the signs of the International Phonetic Association, and a word that has it. */
  vowel: string;
  word: string;
  probability: number;
  /** From low to high. */
  bands: BandGate[];
}

const OP = "VowelClassifier";
const BATCH_SIZE = 250;
/** A sound may be so long that attention over its frames is still small. */
const MOST_SECONDS = 60;

/**
 * Hears which vowel is spoken in noise, and which bands of frequency say so.
 *
 * @example
 * const classifier = await loadVowelClassifier();
 * const { vowel, bands } = classifier.hear(exampleClip(7));
 * [vowel.length, bands.length]; // [1, 20]
 * classifier.dispose();
 */
export class VowelClassifier extends ComparedModels<GatedBandClassifier, DraftCard> {
  /**
   * @param sound at any rate; it is brought to the model's
   * @throws DataError SHAPE where it is shorter than a frame or longer than a minute, FORMAT where it is silent
   */
  hear(sound: Sound): HeardVowel {
    const bands = this.#bandsOf(sound);
    const { bands: F, classes } = this.card.model;
    const { logits, gate } = tidyData(() => {
      const said = this.models.model.classify(tf.tensor3d(bands, [1, bands.length / F, F]));
      return { logits: tf.softmax(said.logits).dataSync<"float32">(), gate: said.gate.dataSync<"float32">() };
    });
    const label = logits.indexOf(Math.max(...logits.subarray(0, classes)));
    const { name: vowel, word } = VOWELS[label]!;
    const edges = bandEdges(this.card.training.recipe.format);
    return {
      ...{ vowel, word, probability: logits[label]! },
      bands: edges.map(([, hertz], f) => ({ hertz, gate: gate[f]! })),
    };
  }

  /** The likeliest vowel of clips by one of the two, and their gates [count, F]. */
  predict({ count, bands, informative }: HeardClips, which: Compared) {
    const model = this.models[which];
    const F = informative.length / count;
    const size = bands.length / count;
    const labels = new Int32Array(count);
    const gates = new Float32Array(count * F);
    for (let from = 0; from < count; from += BATCH_SIZE) {
      const B = Math.min(BATCH_SIZE, count - from);
      tidyData(() => {
        const values = bands.subarray(from * size, (from + B) * size);
        const { logits, gate } = model.classify(tf.tensor3d(values, [B, size / F, F]));
        labels.set(tf.argMax(logits, 1).dataSync<"int32">(), from);
        gates.set(gate.dataSync<"float32">(), from * F);
      });
    }
    return { labels, gates };
  }

  /** A trace of the attention over frames, and of the gate over bands, `bandGate`. @throws DataError SHAPE, FORMAT */
  look(sound: Sound): Trace {
    const bands = this.#bandsOf(sound);
    const { rate, hop, window, bands: F } = this.card.training.recipe.format;
    const T = bands.length / F;
    const middle = (t: number) => `${Math.round((1000 * (t * hop + window / 2)) / rate)} ms`;
    const tokens = { times: Array.from({ length: T }, (_, t) => middle(t)) };
    return capture((x: Float32Array) => this.models.model.classify(tf.tensor3d(x, [1, T, F])).logits, bands, {
      tokens,
    });
  }

  #bandsOf(sound: Sound): Float32Array {
    const { format } = this.card.training.recipe;
    const refuse = (code: "SHAPE" | "FORMAT", rule: string, got: string, remedy: string) => {
      throw new DataError(code, { op: OP, rule, got, remedy });
    };
    const seconds = sound.samples.length / sound.rate;
    if (seconds > MOST_SECONDS)
      refuse(
        "SHAPE",
        `a sound must last at most ${MOST_SECONDS} s`,
        `${seconds.toFixed(1)} s`,
        "cut out a vowel",
      );
    const { samples } = resample(sound, format.rate);
    if (frameCount(format, samples.length) === 0) {
      const least = ((1000 * format.window) / format.rate).toFixed(0);
      refuse(
        "SHAPE",
        `a sound must last ${least} ms or more`,
        `${(1000 * seconds).toFixed(0)} ms`,
        "give a longer one",
      );
    }
    const bands = bandEnergies(samples, format);
    if (bands.every((energy) => energy === 0))
      refuse("FORMAT", "a sound must not be silent", "silence", "record it again");
    return bands;
  }
}
