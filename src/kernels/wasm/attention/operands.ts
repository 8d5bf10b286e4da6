import type { AttentionShapes } from "../../../core/notation.ts";
import type { RowLayout } from "../../layout.ts";
import type { Arena } from "../arena.ts";
import { problemWords } from "./problem.ts";

/** Groups of heads are numbered b · Hkv + g: the query heads that share one key head. */
export type Groups = readonly [first: number, end: number];

/** The arrays of a call, as kernels find them: copied in and out piece by piece, or where they are. */
export interface Operands {
  /** Whether they stand in the kernels' memory already. */
  readonly placed: boolean;
  /** The pieces, in order. Each holds whole groups. */
  readonly pieces: readonly Groups[];
  /** Takes what the largest piece needs. */
  lay(arena: Arena): void;
  enter(piece: Groups): void;
  leave(piece: Groups): void;
  /** The address of row 0 of head h (of key head h, for keys) of example b, in the piece that was entered. */
  address(name: string, b: number, h: number): number;
}

export interface CopiedArray {
  readonly array: Float32Array;
  readonly rows: RowLayout;
  readonly width: number;
  /** Copied in before a piece runs, or out after; a result may take the place of an input that is dead by then. */
  readonly role: "input" | "result";
  readonly inPlaceOf?: string;
}

/** Operands in ordinary memory, which kernels cannot reach: a piece at a time is copied to where they can. */
export class CopiedOperands implements Operands {
  readonly placed = false;
  readonly pieces: readonly Groups[];
  readonly #arrays: Readonly<Record<string, CopiedArray>>;
  readonly #list: readonly CopiedArray[];
  readonly #shapes: AttentionShapes;
  readonly #arena: Arena;
  readonly #addresses: Record<string, number> = {};
  #first = 0;

  /** A piece is as many groups as `budget` bytes hold, with `packed` more for each; one at least. */
  constructor(
    shapes: AttentionShapes,
    arrays: Readonly<Record<string, CopiedArray>>,
    arena: Arena,
    { budget, packed }: { budget: number; packed: number },
  ) {
    this.#shapes = shapes;
    this.#arrays = arrays;
    this.#list = Object.values(arrays);
    this.#arena = arena;
    this.pieces = this.#cut(budget, packed);
  }

  /** Heads-first arrays can be cut between any two groups, the others between examples. */
  #cut(budget: number, packed: number): Groups[] {
    const { B, Hkv } = this.#shapes;
    const unit = this.#list.every(({ rows }) => rows.layout === "bhtd") ? 1 : Hkv;
    const pieces: Groups[] = [];
    let first = 0;
    const bytes = (from: number, to: number) => {
      let floats = 0;
      for (const x of this.#list) floats += this.#size(x, from, to);
      return 4 * floats + (to - from) * packed;
    };
    for (let end = unit; end <= B * Hkv; end += unit) {
      if (end < B * Hkv && bytes(first, end + unit) <= budget) continue;
      pieces.push([first, end]);
      first = end;
    }
    return pieces;
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

  /** The numbers of the largest piece. */
  #most(x: CopiedArray): number {
    return this.pieces.reduce((most, [first, end]) => Math.max(most, this.#size(x, first, end)), 0);
  }

  lay(arena: Arena): void {
    const addresses = this.#addresses;
    for (const name in this.#arrays) {
      const { inPlaceOf } = this.#arrays[name]!;
      addresses[name] = inPlaceOf ? addresses[inPlaceOf]! : arena.floats(this.#most(this.#arrays[name]!));
    }
  }

  enter(piece: Groups): void {
    this.#first = piece[0];
    const { floats } = problemWords(this.#arena.memory);
    for (const name in this.#arrays) {
      const x = this.#arrays[name]!;
      if (x.role === "input") floats.set(this.#part(x, piece), this.#addresses[name]! >>> 2);
    }
  }

  leave(piece: Groups): void {
    const { floats } = problemWords(this.#arena.memory);
    for (const name in this.#arrays) {
      const x = this.#arrays[name]!;
      if (x.role !== "result") continue;
      const part = this.#part(x, piece);
      const from = this.#addresses[name]! >>> 2;
      part.set(floats.subarray(from, from + part.length));
    }
  }

  /** The numbers of a piece. */
  #part(x: CopiedArray, piece: Groups): Float32Array {
    const [start, end] = [this.#start(x, piece[0]), this.#start(x, piece[1])];
    return end - start === x.array.length ? x.array : x.array.subarray(start, end);
  }

  address(name: string, b: number, h: number): number {
    const x = this.#arrays[name]!;
    return this.#addresses[name]! + 4 * (x.rows.start(b, h, x.width) - this.#start(x, this.#first));
  }
}

export interface PlacedArray {
  readonly address: number;
  readonly rows: RowLayout;
  readonly width: number;
}

/** Operands that are in the kernels' memory already: nothing is copied. */
export class PlacedOperands implements Operands {
  readonly placed = true;
  readonly pieces: readonly Groups[];
  readonly #arrays: Readonly<Record<string, PlacedArray>>;

  constructor({ B, Hkv }: AttentionShapes, arrays: Readonly<Record<string, PlacedArray>>) {
    this.pieces = [[0, B * Hkv]];
    this.#arrays = arrays;
  }

  lay(): void {}
  enter(): void {}
  leave(): void {}

  address(name: string, b: number, h: number): number {
    const { address, rows, width } = this.#arrays[name]!;
    return address + 4 * rows.start(b, h, width);
  }
}
