import * as tf from "@tensorflow/tfjs-core";
import { quantumSelfAttention } from "../attention/quantum/quantum-self-attention.ts";
import { checkQubits } from "../attention/quantum/state-vector.ts";
import { checkCount, checkLengths } from "../core/check-options.ts";
import { checkRank } from "../ops/check.ts";
import { linear } from "../ops/linear.ts";
import { tidy } from "../ops/tidy.ts";
import { type ParameterSpec, Parameters } from "./parameters.ts";

export interface QuantumNetworkConfig {
  /** Words. */
  vocabulary: number;
  /** n, from 1 to 8: a word is 3n angles. */
  qubits: number;
  /** Layers of attention. */
  layers: number;
  /** Layers of each circuit. @default 1 */
  depth?: number;
}

export interface QuantumNetworkOptions {
  /** Words of each example, later ones are padding. @default T */
  lengths?: ArrayLike<number>;
  /** Called with each layer's weights [B, T, T], which are gone after the call. @default nothing */
  onWeights?: (layer: number, weights: tf.Tensor3D) => void;
}

/**
 * Quantum self-attention network, simulated: sentences of two kinds, told apart by circuits of few qubits.
 *
 *     y⁰_s = embedding of word s,    yˡ = yˡ⁻¹ + quantumSelfAttention(yˡ⁻¹),    logit = w·(mean of y^L over the words) + b
 *
 * Symbols: y the angles of the words, L layers, each with its own angles for queries, keys and values; the sentence is of
 * the second kind where the logit is above 0. Shapes: tokens [B, T] → logits [B].
 * Conventions: simulated on state vectors of at most 8 qubits. Without positions: a sentence is a set of words that see each
 * other. Padding is seen by no word and counts in no mean; a sentence without words has the logit b.
 * Paper: Li, Zhao & Wang 2022 (QSANN), arxiv.org/abs/2205.05625, whose loss is the squared error of σ(logit).
 *
 * @throws OptionError OPTION
 * @example
 * const model = new QuantumSelfAttentionNetwork({ vocabulary: 11, qubits: 2, layers: 1 }, 1);
 * model.logits(tf.tensor2d([[1, 2, 3], [4, 5, 0]], [2, 3], "int32"), { lengths: [3, 2] }).shape; // [2]
 * model.parameters.size; // 91
 * model.dispose();
 */
export class QuantumSelfAttentionNetwork {
  readonly config: QuantumNetworkConfig;
  readonly parameters: Parameters;

  /** @param start a seed, or the values of all parameters */
  constructor(config: QuantumNetworkConfig, start: number | Readonly<Record<string, Float32Array>>) {
    const op = "QuantumSelfAttentionNetwork";
    const { vocabulary, qubits, layers, depth = 1 } = config;
    checkQubits(op, qubits);
    checkCount(op, "vocabulary", vocabulary);
    checkCount(op, "layers", layers, 0);
    checkCount(op, "depth", depth, 0);
    this.config = config;
    this.parameters = Parameters.start(op, specsOf({ ...config, depth }), start);
  }

  /**
   * How much the sentences are of the second kind, as log-odds: tokens int32 [B, T] → [B].
   *
   * @throws ShapeError RANK · OptionError OPTION for other lengths
   */
  logits(tokens: tf.Tensor2D, { lengths, onWeights }: QuantumNetworkOptions = {}): tf.Tensor1D {
    checkRank("QuantumSelfAttentionNetwork", "tokens [B, T]", tokens, 2);
    const { qubits, layers, depth = 1 } = this.config;
    const [B, T] = tokens.shape;
    const C = 3 * qubits;
    const { parameters } = this;
    const given = lengths ?? new Int32Array(B).fill(T);
    const counted = checkLengths("QuantumSelfAttentionNetwork", "lengths", given, B, T);
    return tidy(() => {
      const rows = parameters.rows("embedding", tf.reshape(tokens, [B * T]));
      let y = tf.reshape<tf.Rank.R3>(rows, [B, T, C]);
      for (let layer = 0; layer < layers; layer++) {
        const angles = (name: string) => parameters.vector(`layers/${layer}/${name}`);
        const { output, weights } = quantumSelfAttention(
          y,
          { query: angles("query"), key: angles("key"), value: angles("value") },
          { depth, mask: { keyLengths: counted }, weights: true },
        );
        onWeights?.(layer, weights);
        y = tf.add(y, output);
      }
      // [B, 1, T]: the share of each word in the mean.
      const shares = Float32Array.from({ length: B * T }, (_, e) => {
        const n = counted[Math.floor(e / T)]!;
        return e % T < n ? 1 / n : 0;
      });
      const mean = tf.matMul(tf.tensor3d(shares, [B, 1, T]), y);
      const flat = tf.reshape<tf.Rank.R2>(mean, [B, C]);
      return tf.reshape(linear(flat, parameters.matrix("class/weight"), parameters.vector("class/bias")), [
        B,
      ]) as tf.Tensor1D;
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }
}

function specsOf({ vocabulary, qubits, layers, depth }: Required<QuantumNetworkConfig>) {
  const turned = { normal: 1 };
  const specs: Record<string, ParameterSpec> = {
    embedding: { shape: [vocabulary, 3 * qubits], start: turned },
  };
  for (let layer = 0; layer < layers; layer++) {
    for (const name of ["query", "key", "value"])
      specs[`layers/${layer}/${name}`] = { shape: [qubits * (depth + 2)], start: turned };
  }
  specs["class/weight"] = { shape: [3 * qubits, 1], start: "glorot" };
  specs["class/bias"] = { shape: [1], start: "zeros" };
  return specs;
}
