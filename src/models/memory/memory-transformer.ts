import * as tf from "@tensorflow/tfjs-core";
import {
  type CompressOptions,
  compressMemory,
  reconstructionLoss,
} from "../../attention/memory/compressive-memory.ts";
import { knnMemoryAttention } from "../../attention/memory/knn-memory.ts";
import { persistentMemoryAttention } from "../../attention/memory/persistent-memory.ts";
import { appendToMemory } from "../../attention/memory/segment-recurrence.ts";
import { relativeSinusoids, transformerXlAttention } from "../../attention/memory/transformer-xl.ts";
import { t5Bias } from "../../attention/position/t5-bias.ts";
import { OptionError } from "../../core/errors.ts";
import { checkRank } from "../../core/shapes.ts";
import { detached } from "../../ops/attention/guard.ts";
import { attention } from "../../ops/attention.ts";
import { checkTensors } from "../../ops/check.ts";
import { gelu } from "../../ops/gelu.ts";
import { layerNorm } from "../../ops/layer-norm.ts";
import { linear } from "../../ops/linear.ts";
import { tidy } from "../../ops/tidy.ts";
import { normalized } from "../maps.ts";
import { Parameters } from "../parameters.ts";
import {
  checkMemoryConfig,
  hasNeighbours,
  type MemoryTransformerConfig,
  memoryParameters,
  OP,
} from "./memory-config.ts";

/** What one layer keeps of the segments before; nothing in it leads a gradient back. */
export interface LayerMemory {
  /** States that came into the layer, [B, M, C]. */
  readonly states?: tf.Tensor3D;
  /** What was made of older ones, [B, N, C]. */
  readonly compressed?: tf.Tensor3D;
  /** Keys and values, [B, H, M, D]. */
  readonly keys?: tf.Tensor4D;
  readonly values?: tf.Tensor4D;
}

export interface SegmentResult {
  /** [B, T, V] */
  logits: tf.Tensor3D;
  /** What the next segment is to be read with, one for each layer. */
  memory: LayerMemory[];
  /** The attention-reconstruction loss of this segment, of what was compressed at all layers: add it to the loss. */
  compression?: tf.Scalar;
}

interface LayerResult {
  output: tf.Tensor3D;
  next: LayerMemory;
  loss?: tf.Scalar;
}

/**
 * A causal Transformer that reads a text segment by segment, with a memory beside its context.
 *
 *     h_n+1 = h_n + attention(norm h_n, memory_n) W_o,    then the feed-forward sublayer; logits = norm(h_L) W + b
 *
 * Symbols: h_n the states that enter layer n of L, memory_n what that layer keeps.
 * Shapes: tokens [B, T] → logits [B, T, V]; the memory goes from a segment to the next.
 * Conventions: norms stand before sublayers. "recurrent" and "compressive" have the distances of `transformerXlAttention`, the
 * other kinds T5's bias in the context and no positions in the memory. Gradients stop at the memory; a compression learns
 * from its own loss alone. Without a memory given, a segment is the first. Methods that return tensors leave them to the
 * caller's `tf.tidy`.
 * Papers: Dai et al. 2019, arxiv.org/abs/1901.02860; Rae et al. 2019, arxiv.org/abs/1911.05507; Wu et al. 2022,
 * arxiv.org/abs/2203.08913; Sukhbaatar et al. 2019, arxiv.org/abs/1907.01470.
 *
 * @example
 * const memory = { kind: "recurrent", length: 6 };
 * const model = new MemoryTransformer({ vocabulary: 11, width: 8, heads: 2, layers: 2, inner: 16, memory }, 1);
 * const tokens = tf.tensor2d([[3, 1, 4]], [1, 3], "int32");
 * const first = model.read(tokens);
 * model.read(tokens, first.memory).logits.shape; // [1, 3, 11]
 * model.dispose();
 */
export class MemoryTransformer {
  readonly config: MemoryTransformerConfig;
  readonly parameters: Parameters;

  /**
   * @param start a seed of the first values, or the values by name
   * @throws OptionError OPTION, CONFLICT where the configuration contradicts itself
   */
  constructor(config: MemoryTransformerConfig, start: number | Readonly<Record<string, Float32Array>> = 0) {
    checkMemoryConfig(config);
    this.config = config;
    this.parameters = Parameters.start(OP, memoryParameters(config), start);
  }

  /**
   * Reads a segment after those that the memory is of.
   *
   * @throws ShapeError RANK, SHAPE · OptionError CONFLICT for a memory of another model, or of a rate that T is no multiple of
   */
  read(tokens: tf.Tensor2D, memory?: readonly LayerMemory[]): SegmentResult {
    const op = `${OP}.read`;
    checkRank(op, "tokens [B, T]", tokens, 2);
    const [B, T] = tokens.shape;
    checkTensors(op, [{ name: "tokens", tensor: tokens, letters: "[B, T]", shape: [B, T], dtype: "int32" }]);
    this.#check(op, B, T, memory);
    return tidy(() => {
      const { layers, width: C } = this.config;
      const ids: tf.Tensor1D = tf.reshape(tokens, [B * T]);
      let h = tf.reshape(this.parameters.rows("embedding/token", ids), [B, T, C]) as tf.Tensor3D;
      const kept: LayerMemory[] = [];
      const losses: tf.Scalar[] = [];
      for (let n = 0; n < layers; n++) {
        const { output, next, loss } = this.#layer(n, h, memory?.[n] ?? {});
        h = this.#feedForward(n, output);
        kept.push(next);
        if (loss) losses.push(loss);
      }
      const logits = this.#map("output/weight", normalized(this.parameters, "norm", h), "output/bias");
      return {
        logits,
        memory: kept,
        ...(losses.length > 0 && { compression: tf.addN(losses) as tf.Scalar }),
      };
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }

  /** h after attention, what the layer keeps, and what its compression has lost. */
  #layer(n: number, h: tf.Tensor3D, before: LayerMemory): LayerResult {
    const { memory } = this.config;
    const y = normalized(this.parameters, `layer/${n}/norm`, h);
    const q = this.#heads(n, "query", y);
    const out = (read: tf.Tensor4D) => tf.add<tf.Tensor3D>(h, this.#joined(n, read));
    if (memory.kind === "recurrent" || memory.kind === "compressive") {
      const parts = [before.compressed, before.states].filter((part) => part !== undefined);
      const past = parts.map((part) => normalized(this.parameters, `layer/${n}/norm`, part));
      const all = past.length > 0 ? tf.concat([...past, y], 1) : y;
      const read = this.#relative(n, q, this.#heads(n, "key", all), this.#heads(n, "value", all));
      return { output: out(read), ...this.#remember(n, h, y, before) };
    }
    const [k, v] = [this.#heads(n, "key", y), this.#heads(n, "value", y)];
    const bias = this.#bias(n, h.shape[1]);
    const options = { causal: true, bias } as const;
    if (hasNeighbours(this.config, n) && memory.kind === "neighbours") {
      const { keys, values } = before;
      const past = keys && values ? { keys, values } : undefined;
      const gate = { gate: this.parameters.vector(`layer/${n}/gate`) };
      const { neighbours, length } = memory;
      const read = knnMemoryAttention(q, k, v, past, gate, { ...options, neighbours }).output;
      const next = {
        keys: appendToMemory(keys, k, length).memory,
        values: appendToMemory(values, v, length).memory,
      };
      return { output: out(read), next };
    }
    const learned = (name: string) => this.#get<tf.Tensor3D>(`layer/${n}/persistent/${name}`);
    const read =
      memory.kind === "persistent"
        ? persistentMemoryAttention(q, k, v, { mk: learned("keys"), mv: learned("values") }, options)
        : attention(q, k, v, options);
    return { output: out(read.output), next: {} };
  }

  /** The memory of a layer after a segment. */
  #remember(n: number, h: tf.Tensor3D, y: tf.Tensor3D, before: LayerMemory): Omit<LayerResult, "output"> {
    const { memory } = this.config;
    if (memory.kind !== "recurrent" && memory.kind !== "compressive") return { next: {} };
    const { memory: states, evicted } = appendToMemory(before.states, h, memory.length);
    if (memory.kind === "recurrent") return { next: { states } };
    if (!evicted) return { next: { states, ...(before.compressed && { compressed: before.compressed }) } };
    const made = compressMemory(evicted, { rate: memory.rate, by: this.#compression(n) });
    const compressed = appendToMemory(before.compressed, made, memory.compressed).memory;
    return {
      next: { states, compressed },
      ...(memory.by === "convolution" && { loss: this.#reconstruction(n, y, evicted, made) }),
    };
  }

  #compression(n: number): CompressOptions["by"] {
    const { memory } = this.config;
    if (memory.kind === "compressive" && memory.by !== "convolution") return memory.by;
    return {
      w: this.#get<tf.Tensor3D>(`layer/${n}/compress/weight`),
      b: this.parameters.vector(`layer/${n}/compress/bias`),
    };
  }

  /** What the layer's own attention, norm included, reads differently; everything but the compression is a constant. */
  #reconstruction(n: number, y: tf.Tensor3D, old: tf.Tensor3D, made: tf.Tensor3D): tf.Scalar {
    const [gamma, beta] = ["gamma", "beta"].map((name) =>
      detached(this.parameters.vector(`layer/${n}/norm/${name}`)),
    );
    const maps = {
      wq: this.parameters.matrix(`layer/${n}/query`),
      wk: this.parameters.matrix(`layer/${n}/key`),
      wv: this.parameters.matrix(`layer/${n}/value`),
    };
    const [before, after] = [old, made].map((x) => layerNorm(x, gamma, beta)) as [tf.Tensor3D, tf.Tensor3D];
    return reconstructionLoss(y, before, after, maps, { heads: this.config.heads });
  }

  #relative(n: number, q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D): tf.Tensor4D {
    const { width: C, heads: H } = this.config;
    const [T, S] = [q.shape[2], k.shape[2]];
    const places = relativeSinusoids(T, S, C, { queryOffset: S - T });
    const rows = tf.reshape(linear(places, this.parameters.matrix(`layer/${n}/distance`)), [
      T + S - 1,
      H,
      C / H,
    ]);
    const parameters = {
      r: tf.transpose(rows, [1, 0, 2]) as tf.Tensor3D,
      contentBias: this.parameters.matrix(`layer/${n}/contentBias`),
      distanceBias: this.parameters.matrix(`layer/${n}/distanceBias`),
    };
    return transformerXlAttention(q, k, v, parameters, { causal: "bottomRight" }).output;
  }

  #bias(n: number, T: number): tf.Tensor4D {
    return t5Bias({ table: this.parameters.matrix(`layer/${n}/buckets`) }, T, T, { bidirectional: false });
  }

  #feedForward(n: number, h: tf.Tensor3D): tf.Tensor3D {
    if (this.config.inner === 0) return h;
    const feed = `layer/${n}/feed`;
    const inner = gelu(
      this.#map(`${feed}/in`, normalized(this.parameters, `${feed}/norm`, h), `${feed}/in/bias`),
    );
    return tf.add(h, this.#map(`${feed}/out`, inner, `${feed}/out/bias`));
  }

  /** x [B, S, C] in the heads of one projection, [B, H, S, D]. */
  #heads(n: number, name: string, x: tf.Tensor3D): tf.Tensor4D {
    const { heads: H, width: C } = this.config;
    const [B, S] = x.shape;
    const mapped = tf.reshape(linear(x, this.parameters.matrix(`layer/${n}/${name}`)), [B, S, H, C / H]);
    return tf.transpose(mapped, [0, 2, 1, 3]) as tf.Tensor4D;
  }

  #joined(n: number, read: tf.Tensor4D): tf.Tensor3D {
    const [B, , T] = read.shape;
    const rows = tf.reshape(tf.transpose(read, [0, 2, 1, 3]), [B, T, this.config.width]) as tf.Tensor3D;
    return linear(rows, this.parameters.matrix(`layer/${n}/output`));
  }

  #map(weight: string, x: tf.Tensor3D, bias: string): tf.Tensor3D {
    return linear(x, this.parameters.matrix(weight), this.parameters.vector(bias));
  }

  #get<X extends tf.Tensor>(name: string): X {
    const variable: tf.Tensor = this.parameters.variables[name]!;
    return variable as X;
  }

  #check(op: string, B: number, T: number, given: readonly LayerMemory[] | undefined): void {
    const { layers, memory } = this.config;
    if (given && given.length !== layers) {
      throw new OptionError("CONFLICT", {
        op,
        rule: `a memory must have ${layers} layers, as the model`,
        got: given.length,
        remedy: "give the memory that this model's read returned",
      });
    }
    for (const [n, layer] of given?.entries() ?? []) this.#checkLayer(op, B, n, layer);
    if (memory.kind === "compressive" && T % memory.rate !== 0) {
      throw new OptionError("CONFLICT", {
        op,
        rule: `a segment must have a multiple of memory.rate=${memory.rate} tokens`,
        got: T,
        remedy: "cut the text into such segments",
      });
    }
  }

  #checkLayer(op: string, B: number, n: number, layer: LayerMemory): void {
    const { width: C, heads: H } = this.config;
    const expected = (
      name: keyof LayerMemory,
      letters: string,
      axis: number,
      shapeOf: (M: number) => number[],
    ) => {
      const tensor = layer[name];
      if (!tensor) return [];
      return [{ name: `memory[${n}].${name}`, tensor, letters, shape: shapeOf(tensor.shape[axis] ?? 0) }];
    };
    const states = (M: number) => [B, M, C];
    const heads = (M: number) => [B, H, M, C / H];
    checkTensors(op, [
      ...expected("states", "[B, M, C]", 1, states),
      ...expected("compressed", "[B, M, C]", 1, states),
      ...expected("keys", "[B, H, M, D]", 2, heads),
      ...expected("values", "[B, H, M, D]", 2, heads),
    ]);
  }
}
