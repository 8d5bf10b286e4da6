import type { HostArray } from "../../core/notation.ts";
import type { AttentionProgram, Broadcast } from "../../core/program.ts";
import type { Arena } from "./arena.ts";
import type { ProblemField } from "./problem.ts";

export type HostProgram = AttentionProgram<HostArray>;

/** Kernels start stripes at whole blocks of queries. */
export const STRIPE_ALIGNMENT = 48;
const STRIPE_FLOATS = 2 ** 18;

/** Elements [start, end) of the values, without a copy where they are typed. */
function slice(values: ArrayLike<number>, start: number, end: number): ArrayLike<number> {
  if (ArrayBuffer.isView(values)) return (values as Float32Array).subarray(start, end);
  return Array.prototype.slice.call(values, start, end);
}

/** Where rows [i0, i1) of head (b, h) stand in a repeated array. */
function rowsOf({ strides, array }: Broadcast<HostArray>, b: number, h: number, i0: number, i1: number) {
  const [bStep, hStep, iStep] = strides;
  const width = array.shape.at(-1)!;
  const start = b * bStep + h * hStep + i0 * iStep;
  return { start, end: start + (iStep ? (i1 - i0) * width : width) };
}

/** The rows of `bias` and `allow` that one run of a kernel reads, brought into its memory. */
export class Stripes {
  /** Queries per run: all where nothing depends on the query. */
  readonly step: number;
  readonly #program: HostProgram;
  readonly #arena: Arena;
  readonly #bias: number = 0;
  readonly #allow: number = 0;

  constructor(program: HostProgram, arena: Arena) {
    this.#program = program;
    this.#arena = arena;
    const { bias, allow, shapes } = program;
    const rows = Stripes.rows(program);
    this.step = bias?.strides[2] || allow?.strides[2] ? rows : Math.max(1, shapes.T);
    // A kernel reads whole vectors of keys: room for the last ones.
    if (bias) this.#bias = arena.floats(rows * shapes.S + 24);
    if (allow) this.#allow = arena.take(rows * shapes.S + 24);
  }

  /** The most rows in a stripe. */
  static rows({ shapes: { T, S } }: HostProgram): number {
    const blocks = Math.ceil(STRIPE_FLOATS / Math.max(S, 1) / STRIPE_ALIGNMENT);
    return Math.max(1, Math.min(T, blocks * STRIPE_ALIGNMENT));
  }

  /** Copies rows [i0, i1) of head (b, h) in, and says where they are. */
  bring(b: number, h: number, i0: number, i1: number): Partial<Record<ProblemField, number>> {
    const { bias, allow } = this.#program;
    const fields: Partial<Record<ProblemField, number>> = {};
    if (bias) {
      const { start, end } = rowsOf(bias, b, h, i0, i1);
      this.#arena.f32(this.#bias, end - start).set(slice(bias.array.values, start, end));
      Object.assign(fields, { bias: this.#bias, biasRow: bias.strides[2], biasKey: bias.strides[3] });
    }
    if (allow) {
      const { start, end } = rowsOf(allow, b, h, i0, i1);
      this.#arena.u8(this.#allow, end - start).set(slice(allow.array.values, start, end));
      Object.assign(fields, { allow: this.#allow, allowRow: allow.strides[2], allowKey: allow.strides[3] });
    }
    return fields;
  }

  /** The same rows of the bias' gradient. */
  biasSlice(dbias: Float32Array, b: number, h: number, i0: number, i1: number): Float32Array {
    const { start, end } = rowsOf(this.#program.bias!, b, h, i0, i1);
    return dbias.subarray(start, end);
  }
}
