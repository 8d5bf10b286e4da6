// Show, Attend and Tell (1502.03044) for one image, in float64 and plain loops, from the paper's formulas.
import { START } from "../../../src/data/bpe.ts";
import type { ShowAttendAndTellConfig } from "../../../src/models/index.ts";
import {
  dot,
  type Matrix,
  plus,
  Recurrent,
  sigma,
  softmax,
  tanh,
  times,
  type Vector,
} from "../recurrent-oracle.ts";

export interface PaperStep {
  /** P of every word of the vocabulary. */
  P: Vector;
  /** α */
  weights: Vector;
  /** β */
  gate: number;
}

/** The place that is read at a step, or undefined for the mean of all. */
export type Places = (t: number, weights: Vector) => number | undefined;

const likeliest: Places = (_, weights) => weights.indexOf(Math.max(...weights));

/** All steps of teacher forcing over annotation vectors [L][D]. Values by the names of the parameters, nested. */
export function paperSteps(
  config: ShowAttendAndTellConfig,
  values: Readonly<Record<string, unknown>>,
  annotations: Matrix,
  caption: readonly number[],
  places: Places = config.kind === "soft" ? () => undefined : likeliest,
): PaperStep[] {
  const paper = new Recurrent({ cell: "lstm", encoder: 1, decoder: config.decoder }, values);
  const map = (name: string, x: Vector) => plus(times(x, paper.m(`${name}/kernel`)), paper.v(`${name}/bias`));
  const share = annotations.map(() => 1 / annotations.length);
  const mean = times(share, annotations);
  let state = { h: tanh(map("initial/output", mean)), c: tanh(map("initial/memory", mean)) };
  return caption.map((_, t) => {
    const x = paper.m("embedding")[caption[t - 1] ?? START]!;
    const scores = annotations.map((a) => {
      const hidden = plus(times(a, paper.m("attention/states")), times(state.h, paper.m("attention/query")));
      return dot(paper.v("attention/v"), tanh(plus(hidden, paper.v("attention/bias"))));
    });
    const weights = softmax(scores);
    const gate = sigma(map("gate", state.h)[0]!);
    const place = places(t, weights);
    const read = place === undefined ? times(weights, annotations) : annotations[place]!;
    const context = read.map((value) => gate * value);
    // Of contexts that are dropped in training the LSTM is fed the mean.
    const fed = context.map((value) => (1 - config.contextDropout) * value);
    state = paper.cell("decoder", x, state, fed);
    const parts = [
      times(state.h, paper.m("deep/state/kernel")),
      times(context, paper.m("deep/context/kernel")),
    ];
    return { P: softmax(map("output", tanh(plus(x, ...parts)))), weights, gate };
  });
}

/** −log p and Σ_i (1 − Σ_t α_ti)² of one caption. */
export function paperLosses(...of: Parameters<typeof paperSteps>) {
  const [, , annotations, caption] = of;
  const steps = paperSteps(...of);
  const words = steps.reduce((sum, { P }, t) => sum - Math.log(P[caption[t]!]!), 0);
  const looked = annotations.map((_, i) => steps.reduce((sum, { weights }) => sum + weights[i]!, 0));
  const penalty = looked.reduce((sum, n) => sum + (1 - n) ** 2, 0);
  return { words, penalty, steps };
}
