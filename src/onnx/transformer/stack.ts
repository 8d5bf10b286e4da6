/** The layers of a stack as operators. */
import { ropeFrequencies } from "../../attention/position/rope-frequencies.ts";
import { groupOf } from "../../models/transformer/config.ts";
import { ACTIVATIONS } from "../activations.ts";
import { attention } from "../attention.ts";
import type { Value } from "../format/graph.ts";
import { joinHeads, splitHeads } from "../format/operations.ts";
import { alibiBias, type Places, rotate, type Turns, t5Bias, turns } from "../positions.ts";
import type { Scope } from "./scope.ts";

/** Keys and values [B, Hkv, S, D]. */
export interface KeysAndValues {
  readonly k: Value;
  readonly v: Value;
}

/** What a layer reads besides its own states. */
export interface StackCall {
  /** Bias of the scores of self-attention. */
  readonly bias: Value | undefined;
  /** Angles of the new positions, where they turn. */
  readonly angles: Turns | undefined;
  /** Puts earlier keys and values before those of this call, and keeps them. */
  readonly extend?: (layer: number, made: KeysAndValues, cross: Scope) => Extended;
  /** Bias of the scores of attention to the memory. */
  readonly memoryBias?: Value | undefined;
}

export interface Extended extends KeysAndValues {
  /** Those of the memory, in a model that has one. */
  readonly memory?: KeysAndValues;
}

/** The layers, one after the other, and the norm after them: x [B, T, C] → [B, T, C]. */
export function runStack(scope: Scope, layers: number, x: Value, call: StackCall): Value {
  const { config } = scope;
  let states = x;
  for (let n = 0; n < layers; n++) {
    const layer = scope.at(String(groupOf(n, layers, config.layerGroups)));
    const [self, cross, feed] = [layer.at("self"), layer.at("cross"), layer.at("feed")];
    let memory: KeysAndValues | undefined;
    states = sublayer(self, states, (y) => {
      const made = keysAndValues(self, y, call.angles);
      const extended: Extended = call.extend?.(n, made, cross) ?? made;
      memory = extended.memory;
      return attend(self, y, extended, call.bias, call.angles);
    });
    const theirs = memory;
    if (theirs) states = sublayer(cross, states, (y) => attend(cross, y, theirs, call.memoryBias));
    states = sublayer(feed, states, (y) => feedForward(feed, y));
  }
  return config.finalNorm ? scope.norm("norm", states) : states;
}

/** Keys and values of x [B, S, C]. */
export function keysAndValues(scope: Scope, x: Value, angles?: Turns): KeysAndValues {
  const { graph, config } = scope;
  const { keyValueHeads: Hkv, headWidth: D } = config;
  return {
    k: turned(scope, "key", x, Hkv, angles),
    v: splitHeads(graph, scope.map("value", x), Hkv, D),
  };
}

function attend(scope: Scope, x: Value, { k, v }: KeysAndValues, bias?: Value, angles?: Turns): Value {
  const { graph, config } = scope;
  const { heads: H, keyValueHeads: Hkv, headWidth: D, scale } = config;
  const q = turned(scope, "query", x, H, angles);
  const heads = attention(graph, { q, k, v, H, Hkv, Dv: D, scale, bias });
  return scope.map("output", joinHeads(graph, heads, H, D));
}

/**
 * One projection in heads, turned by its positions where there are angles. Of interleaved pairs the rows are put in the order
 * of halves: the scores are the same, and no graph has to take channels apart.
 */
function turned(scope: Scope, name: string, x: Value, H: number, angles: Turns | undefined): Value {
  const { graph, config } = scope;
  const { positions, headWidth: D } = config;
  if (positions.kind !== "rope" || !angles) return splitHeads(graph, scope.map(name, x), H, D);
  const R = positions.width ?? D;
  const order = (row: number) => {
    const c = row % D;
    if (c >= R) return row;
    return row - c + (c < R / 2 ? 2 * c : 2 * (c - R / 2) + 1);
  };
  const isInterleaved = positions.pairs === "interleaved";
  const heads = splitHeads(graph, scope.map(name, x, isInterleaved ? order : undefined), H, D);
  return rotate(graph, heads, angles, D, R);
}

/** activation(x·W_in)·W_out, or with a gate (activation(x·W_gate) ⊙ x·W_in)·W_out. */
function feedForward(scope: Scope, x: Value): Value {
  const { graph, config } = scope;
  const activate = ACTIVATIONS[config.activation];
  const inner = scope.map("in", x);
  const active = config.gated
    ? graph.op("Mul", [activate(graph, scope.map("gate", x)), inner])
    : activate(graph, inner);
  return scope.map("out", active);
}

/** x and what a sublayer adds to it, with its norm before or after. */
function sublayer(scope: Scope, x: Value, run: (x: Value) => Value): Value {
  const { graph, config } = scope;
  if (config.preNorm) return graph.op("Add", [x, run(scope.norm("norm", x))]);
  return scope.norm("norm", graph.op("Add", [x, run(x)]));
}

/** Angles of positions int64 [1 or B, T], in a model whose queries and keys turn. */
export function anglesOf({ graph, config }: Scope, positions: Value): Turns | undefined {
  const { positions: kind, headWidth: D } = config;
  if (kind.kind !== "rope") return undefined;
  const { base, scaling, width = D } = kind;
  const { frequencies, magnitude } = ropeFrequencies(width, { base, ...(scaling && { scaling }) });
  return turns(graph, positions, frequencies, { magnitude, name: "rotation" });
}

/** What positions add to the scores of a stack, in a model that has such. */
export function positionBias(scope: Scope, places: Places, isCausal: boolean): Value | undefined {
  const { graph, config } = scope;
  const { positions, heads: H } = config;
  if (positions.kind === "alibi") return alibiBias(graph, places, H);
  if (positions.kind !== "t5") return undefined;
  const { buckets, maxDistance } = positions;
  const values = () => scope.values("distances");
  return t5Bias(graph, places, { name: scope.named("distances"), values, H, buckets, maxDistance }, isCausal);
}
