/** heed's layers of sparse patterns, as masks of every pair. */
import { bigBirdMask } from "../../attention/sparse/big-bird.ts";
import { denseCells } from "../../attention/sparse/block-mask.ts";
import { scores, weightedSum } from "../attention.ts";
import type { Value } from "../format/graph.ts";
import { cast, range, sizeOf, unsqueeze } from "../format/operations.ts";
import { heads } from "./attentions.ts";
import { both, type LayerRule, type LayerUse, unsayable } from "./call.ts";
import { headLayer } from "./heads.ts";
import { maskedAttention, weightsOf } from "./masked-attention.ts";

/** Numbers of positions, and operations on them: what patterns are written in. */
class Pattern {
  readonly #use: LayerUse;
  /** Position of the query, int64 [T, 1], and of the key, int64 [1, T]. */
  readonly query: Value;
  readonly key: Value;
  /** T, int64 [1]. */
  readonly length: Value;

  constructor(use: LayerUse) {
    const { graph, inputs } = use;
    this.#use = use;
    this.length = sizeOf(graph, inputs[0]!.value, 1);
    this.key = range(graph, graph.ints([0]), this.length);
    this.query = graph.op("Squeeze", [unsqueeze(graph, this.key, 2), graph.ints([0])]);
  }

  op(type: string, ...inputs: (Value | number)[]): Value {
    const { graph } = this.#use;
    return graph.op(
      type,
      inputs.map((input) => (typeof input === "number" ? graph.ints([input]) : input)),
    );
  }

  all(...parts: Value[]): Value {
    return parts.reduce((a, b) => this.op("And", a, b));
  }

  any(...parts: Value[]): Value {
    return parts.reduce((a, b) => this.op("Or", a, b));
  }

  /** Whether positions are one of these: as many as `positions` has. */
  isOneOf(positions: Value, list: readonly (number | Value)[]): Value {
    return this.any(...list.map((one) => this.op("Equal", positions, one)));
  }

  get isBefore(): Value {
    return this.op("LessOrEqual", this.key, this.query);
  }
}

/** BigBird's pattern for any length, which has nothing random in it. */
function blocks(pattern: Pattern, use: LayerUse, global: readonly number[]): Value {
  const { blockSize, windowBlocks, useCausalMask } = use.config as unknown as {
    blockSize: number;
    windowBlocks: number;
    useCausalMask: boolean;
  };
  const block = (x: Value) => pattern.op("Div", x, blockSize);
  const [own, theirs] = [block(pattern.query), block(pattern.key)];
  const count = pattern.op("Div", pattern.op("Add", pattern.length, blockSize - 1), blockSize);
  const globals = global.map((b) => (b < 0 ? pattern.op("Add", count, b) : b));
  const reach = (windowBlocks - 1) / 2;
  const near = pattern.op("LessOrEqual", pattern.op("Abs", pattern.op("Sub", own, theirs)), reach);
  const everywhere =
    globals.length > 0
      ? pattern.any(near, pattern.isOneOf(own, globals), pattern.isOneOf(theirs, globals))
      : near;
  return useCausalMask ? pattern.all(everywhere, pattern.isBefore) : everywhere;
}

/** BigBird's pattern with its random blocks, which are drawn for one length. */
function drawnBlocks(use: LayerUse): Value {
  const { graph, config, inputs, name, op } = use;
  const T = inputs[0]!.shape[1];
  if (T === null || T === undefined) {
    const rule = "in ONNX its input must have a fixed length where numRandomBlocks is above 0";
    throw unsayable(op, rule, `length ${T}`);
  }
  const { blockSize: block, windowBlocks: window, globalBlocks, numRandomBlocks, patternSeed } = config;
  const options = { block, window, global: globalBlocks, random: numRandomBlocks, seed: patternSeed };
  const cells = () => denseCells(bigBirdMask(T, { ...options, causal: config.useCausalMask } as object));
  const mask = graph.weight(`${name}/pattern`, [T, T], () => Float32Array.from(cells()));
  return cast(graph, mask, "bool");
}

function patternOf(use: LayerUse): Value {
  const {
    pattern: name,
    stride,
    summary,
    numRandomBlocks,
    globalBlocks,
  } = use.config as {
    pattern: string;
    stride: number;
    summary: number;
    numRandomBlocks: number;
    globalBlocks: readonly number[];
  };
  const pattern = new Pattern(use);
  const { query, key, isBefore } = pattern;
  if (name === "strided") {
    const apart = pattern.op("Sub", query, key);
    const near = pattern.op("LessOrEqual", apart, stride);
    return pattern.all(isBefore, pattern.any(near, pattern.op("Equal", pattern.op("Mod", apart, stride), 0)));
  }
  if (name === "fixed") {
    const block = (x: Value) => pattern.op("Div", x, stride);
    const isSummary = pattern.op("GreaterOrEqual", pattern.op("Mod", key, stride), stride - summary);
    return pattern.all(isBefore, pattern.any(pattern.op("Equal", block(query), block(key)), isSummary));
  }
  if (name === "window") return blocks(pattern, use, []);
  return numRandomBlocks > 0 ? drawnBlocks(use) : blocks(pattern, use, globalBlocks);
}

export const blockSparseRule: LayerRule = (use) =>
  headLayer(use, ({ q, k, v, H, Hkv, D, Dv, allow }) => {
    const { graph } = use;
    const seen = both(graph, [allow, unsqueeze(graph, patternOf(use), 0, 1)]);
    const given = { q, k, v, H, Hkv, Dv, scale: D ** -0.5 };
    return maskedAttention(graph, given, { allow: seen }, false) as Value;
  });

export const longformerRule: LayerRule = (use) =>
  headLayer(use, (given) => {
    const { graph, config } = use;
    const { H, Hkv, D, Dv, allow, query, key, value } = given;
    const { attentionWindow, dilation, globalPositions } = config as unknown as {
      attentionWindow: number;
      dilation: number;
      globalPositions: readonly number[];
    };
    const pattern = new Pattern(use);
    const apart = pattern.op("Sub", pattern.query, pattern.key);
    const distance = pattern.op("Abs", apart);
    const near = pattern.all(
      pattern.op("LessOrEqual", distance, (dilation * attentionWindow) / 2),
      pattern.op("Equal", pattern.op("Mod", distance, dilation), 0),
    );
    const order = config.useCausalMask ? pattern.isBefore : undefined;
    const isGlobal = globalPositions.length > 0 && {
      query: pattern.isOneOf(pattern.query, globalPositions),
      key: pattern.isOneOf(pattern.key, globalPositions),
    };
    const read = (heads: Pick<typeof given, "q" | "k" | "v">, pairs: Value | undefined) => {
      const seen = both(graph, [allow, pairs && unsqueeze(graph, pairs, 0, 1)]);
      const all = { ...heads, H, Hkv, Dv, scale: D ** -0.5 };
      return weightedSum(graph, weightsOf(graph, scores(graph, all), seen), all);
    };
    const local = isGlobal ? pattern.any(near, isGlobal.key) : near;
    const others = read(given, order ? pattern.all(local, order) : local);
    if (!isGlobal) return others;
    const own = {
      q: heads(use, "query_global", query, H, D),
      k: heads(use, "key_global", key, Hkv, D),
      v: heads(use, "value_global", value, Hkv, Dv),
    };
    return graph.op("Where", [isGlobal.query, read(own, order), others]);
  });
