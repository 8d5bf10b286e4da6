import type * as tf from "@tensorflow/tfjs-core";
import { longestOf } from "../../ops/attention/packed.ts";
import { tidy } from "../../ops/tidy.ts";
import {
  attend,
  feedForward,
  type KeysAndValues,
  keysAndValues,
  type Sight,
  stepProjections,
  sublayer,
} from "./block.ts";
import { groupOf } from "./config.ts";
import type { Dropout } from "./dropout.ts";
import { positionBias, rotation } from "./positions.ts";
import { type Span, spanOf } from "./span.ts";
import { stepThrough } from "./step.ts";
import type { Weights } from "./weights.ts";

/** What a stack reads besides its own sequence. */
export interface Memory {
  /** [B, S, C], what the encoder gave. */
  readonly states: tf.Tensor3D;
  readonly sight: Sight;
}

/** One step of a decoder whose earlier keys and values are kept. */
export interface CacheStep {
  /** Rows of the cache, S. */
  readonly rows: number;
  /** Where the new tokens stand. */
  readonly span: Span;
  /** Where the rows of the cache stand. @default 0, 1, … */
  readonly keySpan?: Span;
  /** What the new tokens see of the cache, themselves among it. */
  readonly sight: Sight;
  /** Adds the keys and values of the new tokens; returns those that they are to read. */
  self(layer: number, added: KeysAndValues): KeysAndValues;
  /** Those of the memory, and what is seen of it: made at the first step, kept after it. */
  memory(layer: number, make: () => KeysAndValues): KeysAndValues;
  readonly memorySight: Sight;
  /** Where a step of one token an example may write its rows itself; undefined where rows must move first. */
  readonly inPlace?: StepRows | undefined;
}

/** The rows of every layer into which a step of one token an example goes. */
export interface StepRows {
  /** Of each example. */
  readonly starts: Int32Array;
  /** How many rows it sees, its own among them. */
  readonly keyLengths: Int32Array;
  readonly layers: readonly KeysAndValues[];
}

export interface StackCall {
  /** Positions see themselves and what is before them. */
  readonly causal: boolean;
  readonly sight: Sight;
  readonly memory?: Memory | undefined;
  readonly dropout: Dropout;
  readonly step?: CacheStep | undefined;
}

const identity = (x: tf.Tensor4D): tf.Tensor4D => x;

/** The layers of a stack, one after the other, and the norm after them: x [B, T, C] → [B, T, C]. */
export function runStack(weights: Weights, layers: number, x: tf.Tensor3D, call: StackCall): tf.Tensor3D {
  const { config } = weights;
  const { causal, memory, dropout, step } = call;
  const [B, T] = x.shape;
  const { segments } = call.sight;
  const span = step?.span ?? spanOf(T, segments);
  const whole = step && !memory && stepThrough(weights, layers, x, { step, dropout });
  if (whole) return whole;
  const turn = rotation(config, B, T, span);
  // Packed sequences share one bias, by the positions of each: that of the longest.
  const places = segments
    ? { B, T: longestOf(segments), S: longestOf(segments), queries: { first: 0 }, causal }
    : { B, T, S: step?.rows ?? T, queries: span, causal, ...(step?.keySpan && { keys: step.keySpan }) };
  const bias = positionBias(weights, places);
  const own: Sight = step ? step.sight : { ...(causal && { causal: true, ...windowOf(config.window) }) };
  const sight: Sight = { ...call.sight, ...own, ...(bias && { bias }) };
  const run = (n: number, given: tf.Tensor3D): tf.Tensor3D => {
    let states = given;
    const layer = weights.at(String(groupOf(n, layers, config.layerGroups)));
    const [self, cross, feed] = [layer.at("self"), layer.at("cross"), layer.at("feed")];
    states = sublayer(self, states, dropout, (y) => {
      if (!step) return attend(self, y, keysAndValues(self, y, turn), { sight, turn, dropout });
      const { q, ...made } = stepProjections(self, y, turn);
      return attend(self, y, { ...step.self(n, made), q }, { sight, turn, dropout });
    });
    if (memory || (step && cross.has("query/weight"))) {
      const make = () => keysAndValues(cross, memory!.states, identity);
      const theirs = step ? step.memory(n, make) : make();
      states = sublayer(cross, states, dropout, (y) =>
        attend(cross, y, theirs, { sight: memory?.sight ?? step!.memorySight, turn: identity, dropout }),
      );
    }
    return sublayer(feed, states, dropout, (y) => feedForward(feed, y, dropout));
  };
  let states = x;
  // What a layer makes and no gradient needs goes before the next one runs.
  for (let n = 0; n < layers; n++) states = tidy(() => run(n, states));
  return config.finalNorm ? weights.norm("norm", states) : states;
}

/** The window of a causal call. */
export function windowOf(window: number | undefined): Sight {
  return window === undefined ? {} : { window: { left: window - 1 } };
}
