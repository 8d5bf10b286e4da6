import type { AttentionShapes } from "../../../core/notation.ts";
import type { CallLayout, RowLayout } from "../../layout.ts";
import type { Arena } from "../arena.ts";
import { problemWords } from "./problem.ts";

/** Groups of heads are numbered b · Hkv + g: the query heads that share one key head. */
export type GroupRange = readonly [first: number, end: number];

/** The rows that each operand of the kernels has, and how wide they are: q [queries, D] and so on. */
export const OPERANDS = {
  q: ["queries", "D"],
  k: ["keys", "D"],
  v: ["keys", "Dv"],
  out: ["queries", "Dv"],
  dout: ["queries", "Dv"],
  dq: ["queries", "D"],
  dk: ["keys", "D"],
  dv: ["keys", "Dv"],
} as const;
export type Operand = keyof typeof OPERANDS;

/** By the time a gradient is written, its operand has been read for the last time. */
const IN_PLACE_OF: Partial<Record<Operand, Operand>> = { dq: "q", dk: "k", dv: "v" };

/** The arrays of a call, as kernels find them: copied in and out chunk by chunk, or where they are. */
export interface Operands {
  /** Whether they stand in the kernels' memory already. */
  readonly placed: boolean;
  /** The chunks, in order. Each holds whole groups. */
  readonly chunks: readonly GroupRange[];
  /** Takes what the largest chunk needs. */
  lay(arena: Arena): void;
  copyIn(chunk: GroupRange): void;
  copyOut(chunk: GroupRange): void;
  /** The address of row 0 of head h (of key head h, for keys) of example b, in the chunk that was copied in. */
  address(name: Operand, b: number, h: number): number;
}

/** Arrays of a call by the names of the operands; those that a kernel reads may have 16 bits a number. */
export type OperandArrays<A = Float32Array> = Partial<Record<Operand, A>>;
export type InputArray = Float32Array | Uint16Array;

interface CopiedArray {
  readonly array: InputArray;
  readonly rows: RowLayout;
  readonly width: number;
  /** Copied in before a chunk runs, or out after; a result may take the place of an input that is dead by then. */
  readonly role: "input" | "result";
  readonly inPlaceOf: Operand | undefined;
}

function copiedArrays({ layout, shapes, inputs, results }: CopiedCall): Record<string, CopiedArray> {
  const arrays: Record<string, CopiedArray> = {};
  for (const role of ["input", "result"] as const) {
    const given = role === "input" ? inputs : results;
    for (const name in given) {
      const [rows, width] = OPERANDS[name as Operand];
      const inPlaceOf = role === "result" ? IN_PLACE_OF[name as Operand] : undefined;
      arrays[name] = {
        array: given[name as Operand]!,
        rows: layout[rows],
        width: shapes[width],
        role,
        inPlaceOf,
      };
    }
  }
  return arrays;
}

/** What is copied for one call, and how its rows lie. */
export interface CopiedCall {
  readonly shapes: AttentionShapes;
  readonly layout: CallLayout;
  readonly inputs: OperandArrays<InputArray>;
  readonly results: OperandArrays;
}

/** What a copy must know. */
interface CopyOptions {
  /** Bytes of a chunk. */
  readonly budget: number;
  /** Bytes that each group takes besides its arrays. */
  readonly packed: number;
  /** Writes numbers of 16 bits as floats to an address, where inputs are such. */
  readonly expand: ((halves: Uint16Array, address: number) => void) | undefined;
}

/** Operands in ordinary memory, which kernels cannot reach: a chunk at a time is copied to where they can. */
export class CopiedOperands implements Operands {
  readonly placed = false;
  readonly chunks: readonly GroupRange[];
  readonly #arrays: Readonly<Record<string, CopiedArray>>;
  readonly #list: readonly CopiedArray[];
  readonly #shapes: AttentionShapes;
  readonly #arena: Arena;
  readonly #addresses: Record<string, number> = {};
  #first = 0;

  readonly #expand: CopyOptions["expand"];

  /** A chunk is as many groups as `budget` bytes hold, with `packed` more for each; one at least. */
  constructor(call: CopiedCall, arena: Arena, { budget, packed, expand }: CopyOptions) {
    this.#expand = expand;
    this.#shapes = call.shapes;
    this.#arrays = copiedArrays(call);
    this.#list = Object.values(this.#arrays);
    this.#arena = arena;
    this.chunks = this.#cut(budget, packed);
  }

  /** Heads-first arrays can be cut between any two groups, the others between examples. */
  #cut(budget: number, packed: number): GroupRange[] {
    const { B, Hkv } = this.#shapes;
    const unit = this.#list.every(({ rows }) => rows.layout === "bhtd") ? 1 : Hkv;
    const chunks: GroupRange[] = [];
    let first = 0;
    const bytes = (from: number, to: number) => {
      let floats = 0;
      for (const x of this.#list) floats += this.#size(x, from, to);
      return 4 * floats + (to - from) * packed;
    };
    for (let end = unit; end <= B * Hkv; end += unit) {
      if (end < B * Hkv && bytes(first, end + unit) <= budget) continue;
      chunks.push([first, end]);
      first = end;
    }
    return chunks;
  }

  /** The first number of a group. */
  #start({ rows, width }: CopiedArray, group: number): number {
    const { Hkv } = this.#shapes;
    const g = group % Hkv;
    return rows.start((group - g) / Hkv, (g * rows.heads) / Hkv, width);
  }

  #size(x: CopiedArray, first: number, end: number): number {
    return this.#start(x, end) - this.#start(x, first);
  }

  /** The numbers of the largest chunk. */
  #most(x: CopiedArray): number {
    return this.chunks.reduce((most, [first, end]) => Math.max(most, this.#size(x, first, end)), 0);
  }

  lay(arena: Arena): void {
    const addresses = this.#addresses;
    for (const name in this.#arrays) {
      const { inPlaceOf } = this.#arrays[name]!;
      addresses[name] = inPlaceOf ? addresses[inPlaceOf]! : arena.floats(this.#most(this.#arrays[name]!));
    }
  }

  copyIn(chunk: GroupRange): void {
    this.#first = chunk[0];
    const { floats } = problemWords(this.#arena.memory);
    for (const name in this.#arrays) {
      const x = this.#arrays[name]!;
      if (x.role !== "input") continue;
      const part = this.#part(x, chunk);
      if (part instanceof Uint16Array) this.#expand!(part, this.#addresses[name]!);
      else floats.set(part, this.#addresses[name]! >>> 2);
    }
  }

  copyOut(chunk: GroupRange): void {
    const { floats } = problemWords(this.#arena.memory);
    for (const name in this.#arrays) {
      const x = this.#arrays[name]!;
      if (x.role !== "result") continue;
      const part = this.#part(x, chunk);
      const from = this.#addresses[name]! >>> 2;
      part.set(floats.subarray(from, from + part.length));
    }
  }

  /** The numbers of a chunk. */
  #part(x: CopiedArray, chunk: GroupRange): InputArray {
    const [start, end] = [this.#start(x, chunk[0]), this.#start(x, chunk[1])];
    return end - start === x.array.length ? x.array : x.array.subarray(start, end);
  }

  address(name: Operand, b: number, h: number): number {
    const x = this.#arrays[name]!;
    return this.#addresses[name]! + 4 * (x.rows.start(b, h, x.width) - this.#start(x, this.#first));
  }
}

/** Operands that are in the kernels' memory already, by their addresses: nothing is copied. */
export class PlacedOperands implements Operands {
  readonly placed = true;
  readonly chunks: readonly GroupRange[];
  readonly #shapes: AttentionShapes;
  readonly #layout: CallLayout;
  readonly #addresses: Readonly<Partial<Record<Operand, number>>>;

  constructor(shapes: AttentionShapes, layout: CallLayout, addresses: Partial<Record<Operand, number>>) {
    this.chunks = [[0, shapes.B * shapes.Hkv]];
    this.#shapes = shapes;
    this.#layout = layout;
    this.#addresses = addresses;
  }

  lay(): void {}
  copyIn(): void {}
  copyOut(): void {}

  address(name: Operand, b: number, h: number): number {
    const [rows, width] = OPERANDS[name];
    return this.#addresses[name]! + 4 * this.#layout[rows].start(b, h, this.#shapes[width]);
  }
}
