import type { HostArray } from "../../../core/notation.ts";
import type { Broadcast, HostProgram } from "../../../core/program.ts";
import type { Arena } from "../arena.ts";
import type { ProblemFields } from "./problem.ts";

/** Kernels start stripes at whole blocks of queries. */
export const BLOCK_ROWS = 48;
const STRIPE_FLOATS = 2 ** 20;

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

/**
 * Rows of a stripe: whole blocks, enough for many threads. The same for one thread, because a gradient that sums over
 * queries is summed stripe by stripe.
 */
export function stripeRows({ shapes: { T, S } }: HostProgram): number {
  const blocks = Math.ceil(STRIPE_FLOATS / Math.max(S, 1) / BLOCK_ROWS);
  return Math.max(1, Math.min(T, blocks * BLOCK_ROWS));
}

/** Queries that a kernel may run over at once: all, unless `bias` or `allow` differ from query to query. */
export function stripeStep(program: HostProgram): number {
  const { bias, allow, shapes } = program;
  const whole = !bias?.strides[2] && !allow?.strides[2];
  return whole ? Math.max(1, shapes.T) : stripeRows(program);
}

/** The rows of `bias` and `allow` that one run of a kernel reads, brought into its memory. */
export class Stripes {
  readonly #program: HostProgram;
  readonly #arena: Arena;
  readonly #bias: number = 0;
  readonly #allow: number = 0;

  constructor(program: HostProgram, arena: Arena, step: number) {
    this.#program = program;
    this.#arena = arena;
    const { bias, allow } = program;
    // A kernel reads whole vectors of keys: room for the last ones.
    const elements = (x: Broadcast<HostArray>) => (x.strides[2] ? step : 1) * x.array.shape.at(-1)! + 24;
    if (bias) this.#bias = arena.floats(elements(bias));
    if (allow) this.#allow = arena.take(elements(allow));
  }

  /** Copies rows [i0, i1) of head (b, h) in, and says where they are. */
  bring(b: number, h: number, i0: number, i1: number): ProblemFields {
    const { bias, allow } = this.#program;
    const fields: ProblemFields = { row0: i0 };
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
}

/** The same rows of the bias' gradient. */
export function biasSlice(
  { bias }: HostProgram,
  dbias: Float32Array,
  b: number,
  h: number,
  i0: number,
  i1: number,
): Float32Array {
  const { start, end } = rowsOf(bias!, b, h, i0, i1);
  return dbias.subarray(start, end);
}
