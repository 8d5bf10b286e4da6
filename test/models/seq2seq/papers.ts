// The translators of Bahdanau et al. (1409.0473) and Luong et al. (1508.04025) for one sentence pair, in float64 and
// plain loops, from the papers' formulas: an oracle that shares no line with the model.
import { START } from "../../../src/data/bpe.ts";
import type { Seq2SeqConfig } from "../../../src/models/seq2seq/config.ts";
import type { Seq2Seq } from "../../../src/models/seq2seq/seq2seq.ts";

type Vector = number[];
type Matrix = number[][];

const plus = (...vectors: Vector[]): Vector =>
  vectors[0]!.map((_, i) => vectors.reduce((sum, v) => sum + v[i]!, 0));
const dot = (a: Vector, b: Vector): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
/** xᵀW. */
const times = (x: Vector, w: Matrix): Vector =>
  w[0]!.map((_, j) => x.reduce((sum, value, i) => sum + value * w[i]![j]!, 0));
const sigma = (x: number): number => 1 / (1 + Math.exp(-x));
const tanh = (x: Vector): Vector => x.map(Math.tanh);
function softmax(x: Vector): Vector {
  const e = x.map((value) => Math.exp(value - Math.max(...x)));
  const sum = e.reduce((a, b) => a + b);
  return e.map((value) => value / sum);
}

interface State {
  h: Vector;
  c: Vector;
}

class Paper {
  readonly #config: Seq2SeqConfig;
  readonly #values: Record<string, unknown>;

  constructor(model: Seq2Seq) {
    this.#config = model.config;
    const read = Object.entries(model.parameters.variables).map(([name, x]) => [name, x.arraySync()]);
    this.#values = Object.fromEntries(read);
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
    if (this.#config.cell === "gru") {
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

  encode(source: number[]): { states: Matrix; first: State } {
    const { encoder: H, decoder: D, cell } = this.#config;
    const run = (name: string, ids: number[]) => {
      let state: State = { h: new Array(H).fill(0), c: new Array(H).fill(0) };
      return ids.map((id) => {
        state = this.cell(name, this.m("source/embedding")[id]!, state);
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

  score(q: Vector, k: Vector, s: number): number {
    const keys = () => ("attention/keys" in this.#values ? times(k, this.m("attention/keys")) : k);
    switch (this.#config.score) {
      case "dot":
        return dot(q, keys());
      case "scaledDot":
        return dot(q, keys()) / Math.sqrt(q.length);
      case "general":
        return dot(times(q, this.m("attention/w")), k);
      case "additive": {
        const hidden = plus(times(k, this.m("attention/w1")), times(q, this.m("attention/w2")));
        return dot(this.v("attention/v"), tanh(hidden));
      }
      case "concat":
        return dot(this.v("attention/v"), tanh(times([...q, ...k], this.m("attention/w"))));
      case "location":
        return times(q, this.m("attention/w"))[s]!;
      case "none":
        return 0;
    }
  }
}

/** log p of each target piece by teacher forcing, and where each step looked. */
export function paperModel(model: Seq2Seq, source: number[], target: number[]) {
  const paper = new Paper(model);
  const { style, inputFeeding, embedding: E } = model.config;
  const { states, first } = paper.encode(source);
  const attend = (q: Vector) => {
    const weights = softmax(states.map((k, s) => paper.score(q, k, s)));
    return { weights, context: times(weights, states) };
  };
  let state = first;
  let fed: Vector = new Array(E).fill(0);
  return target.map((piece, t) => {
    const word = paper.m("target/embedding")[target[t - 1] ?? START]!;
    let attended = attend(state.h);
    if (style === "bahdanau") state = paper.cell("decoder", word, state, attended.context);
    else {
      state = paper.cell("decoder", word, state, inputFeeding ? fed : undefined);
      attended = attend(state.h);
    }
    const both = times([...attended.context, ...state.h], paper.m("combine/kernel"));
    fed = tanh(plus(both, paper.v("combine/bias")));
    const logits = paper.m("output/kernel").map((row) => dot(row, fed));
    const p = softmax(plus(logits, paper.v("output/bias")));
    return { logProbability: Math.log(p[piece]!), weights: attended.weights };
  });
}
