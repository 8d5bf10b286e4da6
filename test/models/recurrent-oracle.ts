// Recurrent encoders and cells in float64 and plain loops, from the papers' formulas: an oracle that shares no line with
// the models.
import type { Seq2SeqConfig } from "../../src/models/seq2seq/config.ts";

export type Vector = number[];
export type Matrix = number[][];

export const plus = (...vectors: Vector[]): Vector =>
  vectors[0]!.map((_, i) => vectors.reduce((sum, v) => sum + v[i]!, 0));
export const dot = (a: Vector, b: Vector): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
/** xᵀW. */
export const times = (x: Vector, w: Matrix): Vector =>
  w[0]!.map((_, j) => x.reduce((sum, value, i) => sum + value * w[i]![j]!, 0));
export const sigma = (x: number): number => 1 / (1 + Math.exp(-x));
export const tanh = (x: Vector): Vector => x.map(Math.tanh);
export function softmax(x: Vector): Vector {
  const e = x.map((value) => Math.exp(value - Math.max(...x)));
  const sum = e.reduce((a, b) => a + b);
  return e.map((value) => value / sum);
}

export interface State {
  h: Vector;
  c: Vector;
}

export type Sizes = Pick<Seq2SeqConfig, "cell" | "encoder" | "decoder">;

/** The recurrent parts of a model with these values, by the names of its parameters. */
export class Recurrent {
  readonly #sizes: Sizes;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(sizes: Sizes, values: Readonly<Record<string, unknown>>) {
    this.#sizes = sizes;
    this.#values = values;
  }

  has(name: string): boolean {
    return name in this.#values;
  }

  m(name: string): Matrix {
    return this.#values[name] as Matrix;
  }

  v(name: string): Vector {
    return this.#values[name] as Vector;
  }

  /** `more` is what joins the input's gates besides the input: the context, or the last attentional state. */
  cell(name: string, x: Vector, { h, c }: State, more?: Vector): State {
    const H = h.length;
    let input = plus(times(x, this.m(`${name}/input/kernel`)), this.v(`${name}/input/bias`));
    if (more) input = plus(input, times(more, this.m(`${name}/fed/kernel`)));
    const hidden = times(h, this.m(`${name}/hidden/kernel`));
    const gate = (a: Vector, k: number, i: number) => a[k * H + i]!;
    if (this.#sizes.cell === "gru") {
      const u = plus(hidden, this.v(`${name}/hidden/bias`));
      const next = h.map((old, i) => {
        const r = sigma(gate(input, 0, i) + gate(u, 0, i));
        const z = sigma(gate(input, 1, i) + gate(u, 1, i));
        return (1 - z) * Math.tanh(gate(input, 2, i) + r * gate(u, 2, i)) + z * old;
      });
      return { h: next, c: next };
    }
    const a = plus(input, hidden);
    const memory = c.map(
      (old, i) => sigma(gate(a, 1, i)) * old + sigma(gate(a, 0, i)) * Math.tanh(gate(a, 2, i)),
    );
    return { h: memory.map((value, i) => sigma(gate(a, 3, i)) * Math.tanh(value)), c: memory };
  }

  encode(source: number[], embedding: string): { states: Matrix; first: State } {
    const { encoder: H, decoder: D, cell } = this.#sizes;
    const run = (name: string, ids: number[]) => {
      let state: State = { h: new Array(H).fill(0), c: new Array(H).fill(0) };
      return ids.map((id) => {
        state = this.cell(name, this.m(embedding)[id]!, state);
        return state;
      });
    };
    const forward = run("encoder/forward", source);
    const backward = run("encoder/backward", source.toReversed()).reverse();
    const last = [...forward.at(-1)!.c, ...backward[0]!.c];
    const bridge = plus(times(last, this.m("bridge/kernel")), this.v("bridge/bias"));
    const h = tanh(bridge.slice(0, D));
    return {
      states: forward.map((state, s) => [...state.h, ...backward[s]!.h]),
      first: { h, c: cell === "gru" ? h : bridge.slice(D) },
    };
  }
}
