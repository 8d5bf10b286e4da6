/**
 * Code of nodes, four elements at a time. What does not change along a row of the tile is computed once a row, what does
 * not change at all once a tile.
 */
import { inOrder, type Node, type Op, type Variable } from "../nodes.ts";
import {
  type Code,
  choose,
  type FunctionCode,
  f32,
  f32x4,
  type Instruction,
  i32,
  type Local,
  lane,
  load,
  op,
  when,
} from "./assembler.ts";
import { exp, log, tanh } from "./elementary.ts";

/** How often a value changes: once a tile, once a row, with every four lanes. */
export const TILE = 0;
export const ROW = 1;
export const LANES = 2;
export type Level = typeof TILE | typeof ROW | typeof LANES;

/** A captured tensor, as the block of a call describes it: an address, where its sums begin, and its axes. */
export interface TensorPlan {
  readonly name: string;
  readonly rank: number;
  /** Whether the last axis has all queries or all keys, so that neighbours need no clamping. */
  readonly hasAllQueries: boolean;
  readonly hasAllKeys: boolean;
}

/** Bytes of the block before a tensor's part, and within it. */
export const PART = { address: 0, sums: 4, axes: 8, last: 0, stride: 4, axis: 8 };

/** Where each tensor's part begins in the block. */
export function partStarts(tensors: readonly TensorPlan[]): { starts: Map<string, number>; bytes: number } {
  const starts = new Map<string, number>();
  let bytes = 0;
  for (const { name, rank } of tensors) {
    starts.set(name, bytes);
    bytes += PART.axes + PART.axis * rank;
  }
  return { starts, bytes };
}

/** How the code of a function finds the variables of its elements. */
export interface Elements {
  readonly levels: Partial<Record<Variable, Level>>;
  readonly codes: Partial<Record<Variable, Code>>;
  /** The variable that grows along lanes, and its number in the first of four. */
  readonly lane?: { readonly name: "q" | "k"; readonly first: Code };
}

const DIRECT: Partial<Record<Op, Instruction>> = {
  neg: "f32x4.neg",
  abs: "f32x4.abs",
  sqrt: "f32x4.sqrt",
  floor: "f32x4.floor",
  add: "f32x4.add",
  sub: "f32x4.sub",
  mul: "f32x4.mul",
  div: "f32x4.div",
  min: "f32x4.min",
  max: "f32x4.max",
  less: "f32x4.lt",
  lessEqual: "f32x4.le",
  equal: "f32x4.eq",
  and: "v128.and",
  or: "v128.or",
  not: "v128.not",
};

const zero = op("i32x4.splat", i32(0));

/** The most numbers that bounds look at for one block; a larger box is not bounded. */
const MOST_BOX = 16384;

export class Emitter {
  readonly #made: FunctionCode;
  readonly #block: Local;
  readonly #tensors: ReadonlyMap<string, TensorPlan>;
  readonly #starts: ReadonlyMap<string, number>;
  readonly #elements: Elements;
  readonly #locals = new Map<Node, Local>();
  readonly #levels = new Map<Node, Level>();
  readonly #indices = new Map<Node, Local>();
  readonly #words = new Map<string, Local>();
  /** Code by level. */
  readonly code: [number[], number[], number[]] = [[], [], []];

  constructor(made: FunctionCode, block: Local, tensors: readonly TensorPlan[], elements: Elements) {
    this.#made = made;
    this.#block = block;
    this.#tensors = new Map(tensors.map((plan) => [plan.name, plan]));
    this.#starts = partStarts(tensors).starts;
    this.#elements = elements;
  }

  /** Makes the code of some roots, and of the places of gathers whose index is asked for. */
  make(roots: readonly Node[], indexed: readonly Node[] = []): void {
    const wanted = new Set(indexed);
    for (const node of inOrder(roots)) {
      const level = this.#levelOf(node);
      this.#levels.set(node, level);
      const local = this.#made.local("v128");
      this.code[level].push(...local.set(this.#value(node, level, wanted.has(node))));
      this.#locals.set(node, local);
    }
  }

  get(node: Node): Code {
    return this.#locals.get(node)!.get;
  }

  level(node: Node): Level {
    return this.#levels.get(node)!;
  }

  /** The places that a gather reads, as four element numbers. */
  index(node: Node): Code {
    return this.#indices.get(node)!.get;
  }

  #address(name: string): Code {
    return this.#word("i32", this.#starts.get(name)! + PART.address);
  }

  /** A word of the block, or a vector of it, read once a tile. */
  #word(type: "i32" | "v128", offset: number): Code {
    const key = `${type} ${offset}`;
    let local = this.#words.get(key);
    if (!local) {
      local = this.#made.local(type);
      this.#words.set(key, local);
      const word = load.i32(this.#block.get, offset);
      this.code[TILE].push(...local.set(type === "i32" ? word : op("i32x4.splat", word)));
    }
    return local.get;
  }

  #levelOf({ op, name, args }: Node): Level {
    if (op === "variable") return this.#elements.levels[name as Variable] ?? TILE;
    return args.reduce<Level>((most, arg) => Math.max(most, this.#levels.get(arg)!) as Level, TILE);
  }

  #value(node: Node, level: Level, isIndexed: boolean): Code {
    const { op: name, value, kind } = node;
    if (name === "constant") {
      return kind === "boolean" ? op("i32x4.splat", i32(value ? -1 : 0)) : f32x4(value);
    }
    if (name === "variable") return this.#elements.codes[node.name as Variable]!;
    if (name === "gather") return this.#gather(node, level, isIndexed);
    if (name === "gatherMin" || name === "gatherMax") return this.#extreme(node);
    const args = node.args.map((arg) => this.get(arg));
    const [a, b, c] = args as [Code, Code, Code];
    if (name === "select") return op("v128.bitselect", b, c, a);
    if (name === "exp") return exp(this.#made, a);
    if (name === "log") return log(this.#made, a);
    if (name === "tanh") return tanh(this.#made, a);
    if (name === "mod") {
      const whole = op("f32x4.floor", op("f32x4.div", a, b));
      return op("f32x4.sub", a, op("f32x4.mul", b, whole));
    }
    return op(DIRECT[name]!, ...args);
  }

  /** An index as an element's number along its axis, times the axis' step, in a local of the index' own level. */
  #term({ name, args }: Node, axis: number): Local {
    const at = this.#starts.get(name)! + PART.axes + PART.axis * axis;
    const whole = op("i32x4.trunc_sat_f32x4_s", this.get(args[axis]!));
    const last = this.#word("v128", at + PART.last);
    const clamped = op("i32x4.min_s", op("i32x4.max_s", whole, zero), last);
    const term = this.#made.local("v128");
    const product = op("i32x4.mul", clamped, this.#word("v128", at + PART.stride));
    this.code[this.#levels.get(args[axis]!)!].push(...term.set(product));
    return term;
  }

  #gather(node: Node, level: Level, isIndexed: boolean): Code {
    const { name, args } = node;
    const plan = this.#tensors.get(name)!;
    const { lane: along } = this.#elements;
    const last = args.at(-1);
    const isAlong =
      along !== undefined &&
      last?.op === "variable" &&
      last.name === along.name &&
      (along.name === "q" ? plan.hasAllQueries : plan.hasAllKeys) &&
      args.slice(0, -1).every((arg) => this.#levels.get(arg)! < LANES);
    const terms = args.map((_, axis) =>
      isAlong && axis === args.length - 1 && !isIndexed ? undefined : this.#term(node, axis),
    );
    const sum = (list: readonly (Local | undefined)[]) =>
      list.reduce<Code>((code, term) => (term ? op("i32x4.add", code, term.get) : code), zero);
    if (isIndexed) {
      const index = this.#made.local("v128");
      this.#indices.set(node, index);
      this.code[level].push(...index.set(sum(terms)));
    }
    const at = (element: Code) => op("i32.add", this.#address(name), op("i32.shl", element, i32(2)));
    if (isAlong) return load.v128(at(op("i32.add", lane.i32(sum(terms.slice(0, -1)), 0), along!.first)));
    if (level < LANES) return load.splat(at(lane.i32(sum(terms), 0)));
    const places = this.#made.local("v128");
    this.code[level].push(...places.set(sum(terms)));
    const first = load.splat(at(lane.i32(places.get, 0)));
    return [1, 2, 3].reduce((vector, n) => load.lane(at(lane.i32(places.get, n)), vector, n), first);
  }

  /** The extreme over a box of indices; unknown where the box is large. One number, four times. */
  #extreme({ op: name, name: tensor, args }: Node): Code {
    const made = this.#made;
    const isLeast = name === "gatherMin";
    const start = this.#starts.get(tensor)! + PART.axes;
    const best = made.local("f32");
    const count = made.local("i32");
    const code: number[] = [...count.set(i32(1))];
    const axes = Array.from({ length: args.length / 2 }, (_, axis) => {
      const at = start + PART.axis * axis;
      const lastIndex = this.#word("i32", at + PART.last);
      const clamp = (vector: Code) =>
        lane.i32(
          op(
            "i32x4.min_s",
            op("i32x4.max_s", op("i32x4.trunc_sat_f32x4_s", vector), zero),
            this.#word("v128", at + PART.last),
          ),
          0,
        );
      const [from, to] = [made.local("i32"), made.local("i32")];
      const high = lane.f32(this.get(args[2 * axis + 1]!), 0);
      code.push(...from.set(clamp(this.get(args[2 * axis]!))));
      // A bound that is NaN bounds nothing: the box ends where the axis does.
      code.push(...to.set(choose(op("f32.eq", high, high), clamp(this.get(args[2 * axis + 1]!)), lastIndex)));
      code.push(...to.set(op("i32.add", to.get, i32(1))));
      code.push(...count.set(op("i32.mul", count.get, op("i32.sub", to.get, from.get))));
      return {
        from,
        to,
        stride: this.#word("i32", at + PART.stride),
        n: made.local("i32"),
        base: made.local("i32"),
      };
    });
    const visit = (axis: number, base: Code): Code => {
      if (axis === axes.length) {
        return best.set(op(isLeast ? "f32.min" : "f32.max", best.get, load.f32(base)));
      }
      const { from, to, stride, n, base: own } = axes[axis]!;
      const place = op("i32.add", base, op("i32.shl", op("i32.mul", n.get, stride), i32(2)));
      return made.loop(n, from.get, to.get, 1, [...own.set(place), ...visit(axis + 1, own.get)]);
    };
    const isSmall = op("i32.le_s", count.get, i32(MOST_BOX));
    const none = isLeast ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    code.push(
      ...best.set(choose(isSmall, f32(none), f32(-none))),
      ...when(isSmall, visit(0, this.#address(tensor))),
    );
    this.code[TILE].push(...code);
    return op("f32x4.splat", best.get);
  }
}
