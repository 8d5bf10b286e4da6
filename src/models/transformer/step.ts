import type * as tf from "@tensorflow/tfjs-core";
import { MOST_VECTORS } from "../../host/ops/packed-vectors.ts";
import {
  decoderStep,
  hasDecoderStep,
  type StepLayer,
  type StepMap,
  type StepNorm,
} from "../../ops/decoder-step.ts";
import { type FullConfig, groupOf } from "./config.ts";
import type { Dropout } from "./dropout.ts";
import { rotationTable } from "./positions.ts";
import type { CacheStep } from "./stack.ts";
import type { Weights } from "./weights.ts";

/**
 * A step of one token an example through all layers as one kernel, to the bit what the layers give one after another.
 *
 * Undefined where that kernel does not do what is asked: on other backends, with gradients, under whoever looks at attention,
 * with dropout, an adapter, a memory, hypotheses or positions that are a bias of the scores, with more examples than packed
 * weights are multiplied with one by one, and where the rows of the cache must move first.
 *
 * Shapes: x [B, 1, C] → [B, 1, C].
 */
export function stepThrough(
  weights: Weights,
  layers: number,
  x: tf.Tensor3D,
  { step: { inPlace, span }, dropout }: { step: CacheStep; dropout: Dropout },
): tf.Tensor3D | undefined {
  const { config } = weights;
  const { positions, preNorm, epsilon, activation, headWidth, scale } = config;
  const B = x.shape[0];
  if (!inPlace || inPlace.starts.length !== B || !hasDecoderStep()) return undefined;
  if (dropout.isActive || weights.isAdapted) return undefined;
  if (positions.kind === "t5" || positions.kind === "alibi") return undefined;
  const weightsOf = layersOf(weights, layers);
  if (!weightsOf || (B > MOST_VECTORS && weightsOf.isPacked)) return undefined;
  const { starts, keyLengths, layers: caches } = inPlace;
  return decoderStep(x, {
    ...{ layers: weightsOf.layers, norm: weightsOf.norm, caches, starts, keyLengths },
    ...{ preNorm, epsilon, activation, headWidth, scale },
    turn: rotationTable(config, B, 1, span),
  });
}

interface StepWeights {
  readonly layers: readonly StepLayer[];
  readonly norm: StepNorm | undefined;
  /** Whether some matrix is packed. */
  readonly isPacked: boolean;
}

/** By the configuration, of which each model has its own: looking up hundreds of names takes a twentieth of a step. */
const known = new WeakMap<FullConfig, StepWeights | undefined>();

/** The weights of a decoder's layers; undefined where they attend to a memory. */
function layersOf(weights: Weights, count: number): StepWeights | undefined {
  const { config } = weights;
  if (known.has(config)) return known.get(config);
  const at = (n: number) => weights.at(String(groupOf(n, count, config.layerGroups)));
  let found: StepWeights | undefined;
  if (!at(0).has("cross/query/weight")) {
    const layers = Array.from({ length: count }, (_, n) => layerOf(at(n)));
    const norm = config.finalNorm ? weights.normOf("norm") : undefined;
    found = { layers, norm, isPacked: layers.some(hasPacked) };
  }
  known.set(config, found);
  return found;
}

function layerOf(weights: Weights): StepLayer {
  const [self, feed] = [weights.at("self"), weights.at("feed")];
  return {
    self: {
      norm: self.normOf("norm"),
      query: self.mapOf("query"),
      key: self.mapOf("key"),
      value: self.mapOf("value"),
      output: self.mapOf("output"),
    },
    feed: {
      norm: feed.normOf("norm"),
      gate: weights.config.gated ? feed.mapOf("gate") : undefined,
      in: feed.mapOf("in"),
      out: feed.mapOf("out"),
    },
  };
}

const isPacked = ({ matrix }: StepMap): boolean => "words" in matrix;

function hasPacked({ self, feed }: StepLayer): boolean {
  const maps = [self.query, self.key, self.value, self.output, feed.in, feed.out];
  return maps.some(isPacked) || (feed.gate !== undefined && isPacked(feed.gate));
}
