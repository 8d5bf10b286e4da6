import * as tf from "@tensorflow/tfjs-core";
import { entropy, logProbability, scoreFunctionLoss } from "../../attention/discrete/score-function.ts";
import { RandomStream } from "../../core/random.ts";
import type { PaddedBatch } from "../../data/batching.ts";
import { START } from "../../data/bpe.ts";
import { detached } from "../../ops/attention/guard.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { unstackSteps } from "../../ops/sequence.ts";
import { softmaxCrossEntropy } from "../../ops/softmax-cross-entropy.ts";
import { tidy } from "../../ops/tidy.ts";
import { dense } from "../maps.ts";
import { Parameters } from "../parameters.ts";
import { dropper, stepMask, timeMajor } from "../seq2seq/steps.ts";
import { checkCaptions, checkTellerConfig, type ShowAttendAndTellConfig } from "./config.ts";
import { type PlaceDraw, TellerDecoder, type TellerStep } from "./decoder.ts";
import { doublyStochasticPenalty } from "./doubly-stochastic.ts";
import { showAttendAndTellParameters } from "./parameters.ts";

const OP = "ShowAttendAndTell";
/** Of a seed: which captions read the mean. Steps have the streams from 0 on. */
const OF_MEANS = 2 ** 32;
/** Between a seed and that of the contexts that are dropped. */
const OF_CONTEXTS = 2 ** 48;

export interface TellerLossOptions {
  /** λ of the doubly stochastic penalty, which soft attention alone has. @default 0 */
  penaltyWeight?: number;
  /** Of dropout and of what hard attention draws; without it nothing is dropped, and the likeliest place is read. */
  seed?: number;
  /** b, the moving average of log p(y | s, a) that the rewards of hard attention are compared with. @default 0 */
  baseline?: number;
  /** λ_r of the rewards of hard attention. @default 1 */
  rewardWeight?: number;
  /** λ_e of the entropy of hard attention. @default 0.01 */
  entropyWeight?: number;
  /** The share of captions that read the mean in place of draws. @default 0.5 */
  meanShare?: number;
  /** What the summed losses are divided by; the number of words here by default. */
  pieces?: number;
}

/** What a caption costs, each of [B] captions. */
export interface TellerLosses {
  /** −log p(y | s, a), in nats: a sum over its words. */
  words: tf.Tensor1D;
  /** Σ_i (1 − Σ_t α_ti)² */
  penalty: tf.Tensor1D;
  /** Σ_t ln α_{s_t} of the places that were drawn; 0 where none was. */
  drawn: tf.Tensor1D;
  /** Σ_t H(α_t), in nats. */
  entropy: tf.Tensor1D;
}

/**
 * Show, Attend and Tell: an LSTM writes the caption of an image and looks at a place of it for each word.
 *
 *     soft:   loss = Σ_b [−log p(y_b | a_b) + λ Σ_i (1 − Σ_t α_ti)²] / words
 *     hard:   ∇loss = −Σ_b [∇log p(y_b | s, a) + λ_r (log p(y_b | s, a) − b) ∇log p(s | a) + λ_e ∇H(s)] / words
 *
 * Symbols: a annotation vectors, y words, α_ti the weight of place i at word t, s the places drawn, b a moving average of the
 * rewards log p; see `TellerDecoder` for a step. Shapes: annotations [B, L, D] of images of L places.
 * Conventions: captions end with END. Of hard attention half of the captions, by chance, read the mean as soft attention does;
 * its value is the cross-entropy alone, so that b can be made of it: terms that have a gradient only add 0.
 * Cost of a step: O(L·(A + D) + n·(m + n + D) + m·V). Methods that return tensors leave them to the caller's `tf.tidy`.
 * Paper: Xu, Ba, Kiros, Cho, Courville, Salakhutdinov, Zemel & Bengio 2015, arxiv.org/abs/1502.03044.
 *
 * @throws OptionError OPTION · ShapeError RANK, SHAPE, UNKNOWN
 * @example
 * const sizes = { vocabulary: 11, annotation: 6, embedding: 4, decoder: 8, attention: 4 };
 * const model = new ShowAttendAndTell({ ...sizes, kind: "soft", dropout: 0, contextDropout: 0 }, 1);
 * const captions = padBatch([[4, 5, 2], [6, 2]]); // 2 ends a caption
 * model.losses(tf.ones([2, 9, 6]), captions).words.shape; // [2]
 * model.dispose();
 */
export class ShowAttendAndTell {
  readonly config: ShowAttendAndTellConfig;
  readonly parameters: Parameters;
  readonly decoder: TellerDecoder;

  /** A model with given parameters, by name; without them random ones: one seed, one model, on every machine. */
  constructor(config: ShowAttendAndTellConfig, start: number | Readonly<Record<string, Float32Array>> = 0) {
    checkTellerConfig(config);
    this.config = config;
    this.parameters = Parameters.start(OP, showAttendAndTellParameters(config), start);
    this.decoder = new TellerDecoder(config, this.parameters);
  }

  /** The embeddings of words: ids [N] → [N, m]. */
  embed(ids: Int32Array): tf.Tensor2D {
    return tf.gather(this.parameters.matrix("embedding"), tf.tensor1d(ids, "int32"));
  }

  /** Scores of the next word: [N, m] → [N, V]. */
  logits(deep: tf.Tensor2D): tf.Tensor2D {
    return dense(this.parameters, "output", deep);
  }

  /** The loss with teacher forcing. */
  loss(annotations: tf.Tensor3D, captions: PaddedBatch, options: TellerLossOptions = {}): tf.Scalar {
    const { penaltyWeight = 0, baseline: value = 0, rewardWeight = 1, entropyWeight = 0.01 } = options;
    const pieces = options.pieces ?? captions.lengths.reduce((sum, n) => sum + n, 0);
    return tidy(() => {
      const { words, penalty, drawn, entropy } = this.losses(annotations, captions, options);
      if (this.config.kind === "soft")
        return tf.div<tf.Scalar>(tf.sum(tf.add(words, tf.mul(penalty, penaltyWeight))), pieces);
      const cost = tf.sum(words);
      if (options.seed === undefined) return tf.div<tf.Scalar>(cost, pieces);
      const learnt = scoreFunctionLoss(tf.mul(drawn, rewardWeight), tf.neg(words), {
        baseline: { kind: "movingAverage", value },
        entropy,
        entropyWeight,
      });
      const gradientAlone = tf.mul(tf.sub(learnt, detached(learnt)), captions.rows);
      return tf.div<tf.Scalar>(tf.add(cost, gradientAlone), pieces);
    });
  }

  /** What each caption costs, with teacher forcing. */
  losses(
    annotations: tf.Tensor3D,
    captions: PaddedBatch,
    { seed, meanShare = 0.5 }: Pick<TellerLossOptions, "seed" | "meanShare"> = {},
  ): TellerLosses {
    this.checkAnnotations(`${OP}.losses`, annotations, captions.rows);
    checkCaptions(OP, captions, this.config.vocabulary);
    return tidy(() => {
      const { rows: B, width: T } = captions;
      const drop = dropper(this.config.dropout, seed);
      const asked = timeMajor(captions);
      const inputs = new Int32Array(asked.length).fill(START, 0, B);
      inputs.set(asked.subarray(0, asked.length - B), B);
      const embedded = unstackSteps(tf.reshape(drop(this.embed(inputs)), [T, B, -1]));
      const draw = this.#draw(B, seed, meanShare);
      const feed = this.#feed(B, seed);
      const { memory, state: first } = this.decoder.start(annotations);
      const steps: TellerStep[] = [];
      let state = first;
      for (const [t, words] of embedded.entries()) {
        const step = this.decoder.step(words, state, memory, {
          ...(draw && { draw: draw(t) }),
          ...(feed && { feed }),
          drop,
        });
        steps.push(step);
        state = step.state;
      }
      const deep: tf.Tensor2D = tf.reshape(tf.stack(steps.map((step) => step.deep)), [T * B, -1]);
      const isWord = stepMask(captions);
      const labels = tf.tensor1d(
        asked.map((id, n) => (Math.floor(n / B) < captions.lengths[n % B]! ? id : -1)),
        "int32",
      );
      const surprise = softmaxCrossEntropy(this.logits(deep), labels);
      const weights = tf.stack(steps.map((step) => step.weights)) as tf.Tensor3D;
      const ofWords = (x: tf.Tensor) => tf.sum<tf.Tensor1D>(tf.mul(tf.reshape(x, [T, B]), isWord), 0);
      const places = steps.flatMap(({ place }) => place ?? []);
      return {
        words: ofWords(surprise),
        penalty: doublyStochasticPenalty(weights, isWord),
        drawn: places.length > 0 ? ofWords(logProbability(weights, tf.stack(places))) : tf.zeros([B]),
        entropy: ofWords(entropy(weights)),
      };
    });
  }

  /** Throws unless annotations are [B, L, D] of this model. */
  checkAnnotations(op: string, annotations: tf.Tensor3D, B = annotations.shape[0]): void {
    checkRank(op, "annotations [B, L, D]", annotations, 3);
    const shape = [B, annotations.shape[1], this.config.annotation];
    checkTensors(op, [{ name: "annotations", tensor: annotations, letters: "[B, L, D]", shape }]);
  }

  dispose(): void {
    this.parameters.dispose();
  }

  /** What drops contexts on their way to the LSTM, whole ones, and leaves the others as they are; undefined without a seed. */
  #feed(B: number, seed: number | undefined): ((x: tf.Tensor2D) => tf.Tensor2D) | undefined {
    const { contextDropout: rate } = this.config;
    if (seed === undefined || rate === 0) return undefined;
    const drop = dropper(rate, seed + OF_CONTEXTS);
    return (x) => tf.mul(x, tf.mul(drop(tf.ones([B, 1])), 1 - rate));
  }

  /** What each step of hard attention draws by; undefined where nothing is drawn. */
  #draw(B: number, seed: number | undefined, meanShare: number): ((t: number) => PlaceDraw) | undefined {
    if (seed === undefined || this.config.kind === "soft") return undefined;
    const random = new RandomStream(seed, OF_MEANS);
    const chosen = Uint8Array.from({ length: B }, () => (random.uniform() < meanShare ? 1 : 0));
    const means = tf.tensor2d(chosen, [B, 1], "bool");
    return (stream) => ({ seed, stream, means });
  }
}
