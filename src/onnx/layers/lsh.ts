/** Reformer's attention: hashes, a sort, and who stands near whom after it, as a mask of every pair. */
import { halves, rotations } from "../../attention/sparse/lsh-plan.ts";
import { scores, weightedSum } from "../attention.ts";
import type { Value } from "../format/graph.ts";
import { cast, concat, joinHeads, range, sizeOf, transpose, unsqueeze } from "../format/operations.ts";
import { normalNumbers } from "../random.ts";
import { heads, inputsOf } from "./attentions.ts";
import { type LayerRule, type LayerUse, linear, zeroHidden } from "./call.ts";
import { weightsOf } from "./masked-attention.ts";

/** The square of the least length that is divided by. */
const LEAST = 1e-24;
/** Positions to a bucket, and the largest number of buckets that are hashed as one, where the layer does not say. */
const [POSITIONS, MOST] = [64, 64];

interface Fields {
  readonly numHeads: number;
  readonly keyDim: number;
  readonly valueDim?: number;
  readonly useCausalMask: boolean;
  readonly buckets?: number | readonly number[];
  readonly rounds: number;
  readonly chunkSize?: number;
  readonly hashSeed: number;
}

/** Whole numbers of a call, int64 [1]: constants, or what follows from a length. */
type Count = Value | number;

/** Buckets of positions in every round [B, H, rounds, T], int64, and how many there are. */
interface Buckets {
  readonly of: Value;
  readonly count: Count;
}

class Lsh {
  readonly #use: LayerUse;
  readonly #fields: Fields;

  constructor(use: LayerUse) {
    this.#use = use;
    this.#fields = use.config as unknown as Fields;
  }

  op(type: string, ...inputs: Count[]): Value {
    const { graph } = this.#use;
    return graph.op(
      type,
      inputs.map((input) => (typeof input === "number" ? graph.ints([input]) : input)),
    );
  }

  /** Who reads whom: bool [B, H, T, T], of queries that are keys [B, H, T, D] and a mask [B, T]. */
  pairs(qk: Value, present: Value | undefined): Value {
    const { graph } = this.#use;
    const { useCausalMask, chunkSize } = this.#fields;
    const T = sizeOf(graph, qk, 2);
    const { of, count } = this.#buckets(qk, T);
    const position = unsqueeze(graph, range(graph, graph.ints([0]), T), 0, 1);
    // Padding comes after all buckets.
    const bucket = present ? this.op("Where", unsqueeze(graph, present, 1, 2), of, count) : of;
    const order = this.#sorted(this.op("Add", this.op("Mul", bucket, T), position), T);
    const slot = this.#sorted(order, T);
    const size = chunkSize ?? this.op("Mul", this.#ceiling(T, count), 2);
    const chunk = this.op("Div", slot, this.op("Min", size, T));
    const [query, key] = [(x: Value) => unsqueeze(graph, x, 4), (x: Value) => unsqueeze(graph, x, 3)];
    const all = (...parts: Value[]) => parts.reduce((a, b) => this.op("And", a, b));
    const back = this.op("Sub", query(chunk), key(chunk));
    const other = useCausalMask
      ? this.op("Less", key(position), query(position))
      : this.op("Not", this.op("Equal", key(position), query(position)));
    const read = all(
      this.op("Equal", query(bucket), key(bucket)),
      this.op("GreaterOrEqual", back, 0),
      this.op("LessOrEqual", back, 1),
      other,
    );
    const any = (x: Value, axis: number, keepdims: number) =>
      cast(graph, graph.op("ReduceMax", [cast(graph, x, "float"), graph.ints([axis])], { keepdims }), "bool");
    const seen = any(read, 2, 0);
    // Who sees no one else sees itself.
    const self = this.op("Equal", unsqueeze(graph, position, 4), unsqueeze(graph, position, 3));
    const own = graph.op("Squeeze", [self, graph.ints([2])]);
    return this.op("Or", seen, all(own, this.op("Not", any(seen, 3, 1))));
  }

  #ceiling(a: Count, b: Count): Value {
    return this.op("Div", this.op("Sub", this.op("Add", a, b), 1), b);
  }

  /** Places of the least numbers first, along the last axis; they are all different. */
  #sorted(x: Value, T: Value): Value {
    return this.#use.graph.ops("TopK", [x, T], 2, { axis: -1, largest: 0, sorted: 1 })[1]!;
  }

  #buckets(qk: Value, T: Value): Buckets {
    const { graph, name } = this.#use;
    const { buckets, rounds, keyDim: D, hashSeed } = this.#fields;
    if (buckets === undefined) {
      const factors = this.#factors(T);
      const width = factors.map((n) => this.op("Div", n, 2)).reduce((a, b) => this.op("Add", a, b));
      const columns = this.op("Mul", width, rounds);
      const numbers = normalNumbers(graph, hashSeed, this.op("Mul", columns, D));
      const directions = graph.op("Reshape", [numbers, concat(graph, [graph.ints([D]), columns], 0)]);
      return this.#hashed(qk, directions, factors, width);
    }
    const factors = [buckets].flat() as number[];
    const width = halves(factors);
    // One bucket is the same in every round.
    if (width === 0) {
      const zeros = this.op("Mul", range(graph, graph.ints([0]), T), 0);
      return { of: unsqueeze(graph, zeros, 0, 1), count: 1 };
    }
    const directions = graph.weight(`${name}/directions`, [D, rounds * width], () =>
      rotations({ X: 0, T: 0, L: 0, D, rounds, factors }, hashSeed),
    );
    return this.#hashed(qk, directions, factors, width);
  }

  /** As `lshAttention` has them by default: about one bucket for each 32 positions, many as two even factors. */
  #factors(T: Value): readonly Value[] {
    const twice = (x: Value) => this.op("Mul", x, 2);
    const count = twice(this.op("Max", this.op("Div", this.op("Add", T, POSITIONS / 2), POSITIONS), 1));
    const { graph } = this.#use;
    const half = graph.op("Mul", [graph.op("Sqrt", [cast(graph, count, "float")]), graph.number(0.5)]);
    const rounded = graph.op("Floor", [graph.op("Add", [half, graph.number(0.5)])]);
    const first = twice(this.op("Max", cast(graph, rounded, "int64"), 1));
    const second = twice(this.op("Div", this.op("Add", count, first), twice(first)));
    const isOne = this.op("LessOrEqual", count, MOST);
    return [this.op("Where", isOne, count, first), this.op("Where", isOne, 1, second)];
  }

  /** The nearest of ± the directions [D, rounds · width], factor by factor. */
  #hashed(qk: Value, directions: Value, factors: readonly Count[], width: Count): Buckets {
    const { graph } = this.#use;
    const int = (n: Count) => (typeof n === "number" ? graph.ints([n]) : n);
    const shape = concat(graph, [graph.ints([0, 0, -1, this.#fields.rounds]), int(width)], 0);
    const along = graph.op("Reshape", [graph.op("MatMul", [qk, directions]), shape]);
    // A column of zeros before those of a factor, which has none where it is 1.
    const zero = this.op("Slice", graph.op("Mul", [along, graph.number(0)]), 0, 1, -1);
    let [of, count, start]: Count[] = [0, 1, 0];
    for (const factor of factors) {
      const half = this.op("Div", factor, 2);
      const end = this.op("Add", start, half);
      const own = concat(graph, [zero, this.op("Slice", along, start, end, -1)], -1);
      const nearest = graph.op("ArgMax", [graph.op("Abs", [own])], { axis: -1, keepdims: 1 });
      const isAhead = graph.op("Greater", [
        graph.op("GatherElements", [own, nearest], { axis: -1 }),
        graph.number(0),
      ]);
      const column = this.op("Max", this.op("Sub", nearest, 1), 0);
      const bucket = this.op("Add", column, this.op("Where", isAhead, 0, half));
      of = this.op("Add", this.op("Mul", of, factor), bucket);
      count = this.op("Mul", count, factor);
      start = end;
    }
    const flat = graph.op("Squeeze", [of as Value, graph.ints([-1])]);
    return { of: transpose(graph, flat, [0, 1, 3, 2]), count };
  }
}

export const lshRule: LayerRule = (use) => {
  const { graph } = use;
  const { numHeads: H, keyDim: D, valueDim: Dv = D } = use.config as unknown as Fields;
  const { query: x, present } = inputsOf(use);
  const qk = heads(use, "query_key", x, H, D);
  const v = heads(use, "value", x, H, Dv);
  const squares = graph.op("ReduceSum", [graph.op("Mul", [qk, qk]), graph.ints([-1])]);
  const length = graph.op("Sqrt", [graph.op("Max", [squares, graph.number(LEAST)])]);
  const given = { q: qk, k: graph.op("Div", [qk, length]), v, H, Hkv: H, Dv, scale: D ** -0.5 };
  const weights = weightsOf(graph, scores(graph, given), new Lsh(use).pairs(qk, present));
  const rows = joinHeads(graph, weightedSum(graph, weights, given), H, Dv);
  return linear(use, "attention_output", zeroHidden(graph, rows, present));
};
