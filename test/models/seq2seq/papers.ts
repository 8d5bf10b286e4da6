// The translators of Bahdanau et al. (1409.0473) and Luong et al. (1508.04025) for one sentence pair, in float64 and
// plain loops, from the papers' formulas: an oracle that shares no line with the model.
import { START } from "../../../src/data/bpe.ts";
import type { Seq2SeqConfig } from "../../../src/models/seq2seq/config.ts";
import type { Seq2Seq } from "../../../src/models/seq2seq/seq2seq.ts";

import { dot, plus, Recurrent, softmax, tanh, times, type Vector } from "../recurrent-oracle.ts";

class Paper extends Recurrent {
  readonly #config: Seq2SeqConfig;

  constructor({ config, parameters }: Seq2Seq) {
    const read = Object.entries(parameters.variables).map(([name, x]) => [name, x.arraySync()]);
    super(config, Object.fromEntries(read));
    this.#config = config;
  }

  score(q: Vector, k: Vector, s: number): number {
    const keys = () => (this.has("attention/keys") ? times(k, this.m("attention/keys")) : k);
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
  const { states, first } = paper.encode(source, "source/embedding");
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
