import type * as tf from "@tensorflow/tfjs-core";
import { attend, feedForward, type KeysAndValues, keysAndValues, type Sight, sublayer } from "./block.ts";
import { groupOf } from "./config.ts";
import type { Dropout } from "./dropout.ts";
import { positionBias, rotation } from "./positions.ts";
import type { Weights } from "./weights.ts";

/** What a stack reads besides its own sequence. */
export interface Memory {
  /** [B, S, C], what the encoder gave. */
  readonly states: tf.Tensor3D;
  readonly sight: Sight;
}

/** Where a layer's keys and values of earlier steps are kept. */
export interface LayerCache {
  /** Adds those of new positions; returns all. */
  self(layer: number, added: KeysAndValues): KeysAndValues;
  /** Those of the memory: made at the first step, kept after it. */
  memory(layer: number, make: () => KeysAndValues): KeysAndValues;
}

export interface StackCall {
  /** Positions see themselves and what is before them. */
  readonly causal: boolean;
  readonly sight: Sight;
  readonly memory?: Memory | undefined;
  readonly dropout: Dropout;
  /** Positions that are in the cache. @default 0 */
  readonly past?: number;
  readonly cache?: LayerCache | undefined;
}

const identity = (x: tf.Tensor4D): tf.Tensor4D => x;

/** The layers of a stack, one after the other, and the norm after them: x [B, T, C] → [B, T, C]. */
export function runStack(weights: Weights, layers: number, x: tf.Tensor3D, call: StackCall): tf.Tensor3D {
  const { config } = weights;
  const { causal, memory, dropout, past = 0, cache } = call;
  const T = x.shape[1];
  const turn = rotation(config, T, past);
  const bias = positionBias(weights, { T, S: past + T, causal });
  const sight: Sight = {
    ...call.sight,
    ...(causal && { causal: true, queryOffset: past }),
    ...(bias && { bias }),
  };
  let states = x;
  for (let n = 0; n < layers; n++) {
    const layer = weights.at(String(groupOf(n, layers, config.layerGroups)));
    const [self, cross, feed] = [layer.at("self"), layer.at("cross"), layer.at("feed")];
    states = sublayer(self, states, dropout, (y) => {
      const own = keysAndValues(self, y, turn);
      return attend(self, y, cache ? cache.self(n, own) : own, { sight, turn, dropout });
    });
    if (memory) {
      const make = () => keysAndValues(cross, memory.states, identity);
      const theirs = cache ? cache.memory(n, make) : make();
      states = sublayer(cross, states, dropout, (y) =>
        attend(cross, y, theirs, { sight: memory.sight, turn: identity, dropout }),
      );
    }
    states = sublayer(feed, states, dropout, (y) => feedForward(feed, y, dropout));
  }
  return config.finalNorm ? weights.norm("norm", states) : states;
}
