// The pointer-generator of See et al. (1704.04368) for one pair, in float64 and plain loops, from the paper's formulas.
import { START, UNKNOWN } from "../../../src/data/bpe.ts";
import type { PointerGeneratorConfig } from "../../../src/models/index.ts";
import { dot, plus, Recurrent, sigma, softmax, tanh, times, type Vector } from "../recurrent-oracle.ts";

export interface PaperStep {
  /** P of every word: of the vocabulary, then of the source's own. */
  P: Vector;
  generate: number;
  weights: Vector;
  coverage: Vector;
}

/** All steps of teacher forcing. Values by the names of the parameters, nested. */
export function paperSteps(
  config: PointerGeneratorConfig,
  values: Readonly<Record<string, unknown>>,
  source: readonly number[],
  target: readonly number[],
): PaperStep[] {
  const { vocabulary: V, encoder } = config;
  const paper = new Recurrent(config, values);
  const known = (ids: readonly number[]) => ids.map((id) => (id < V ? id : UNKNOWN));
  const { states, first } = paper.encode(known(source), "embedding");
  const own = Math.max(0, ...source.map((id) => id + 1 - V));
  let state = first;
  let context: Vector = new Array(2 * encoder).fill(0);
  let coverage: Vector = source.map(() => 0);
  return target.map((_, t) => {
    const x = paper.m("embedding")[known([target[t - 1] ?? START])[0]!]!;
    state = paper.cell("decoder", x, state, config.inputFeeding ? context : undefined);
    const scores = states.map((h, i) => {
      const parts = [times(h, paper.m("attention/states")), times(state.h, paper.m("attention/query"))];
      const covered = paper.has("attention/coverage")
        ? [paper.v("attention/coverage").map((w) => w * coverage[i]!)]
        : [];
      return dot(
        paper.v("attention/v"),
        tanh(plus(parts[0]!, parts[1]!, ...covered, paper.v("attention/bias"))),
      );
    });
    const weights = softmax(scores);
    context = times(weights, states);
    const both = [...context, ...state.h];
    const hidden = plus(times(both, paper.m("combine/kernel")), paper.v("combine/bias"));
    const logits = plus(
      paper.m("embedding").map((row) => dot(row, hidden)),
      paper.v("output/bias"),
    );
    const written = [...softmax(logits), ...new Array<number>(own).fill(0)];
    const generate = config.pointer
      ? sigma(times([...both, ...x], paper.m("pointer/kernel"))[0]! + paper.v("pointer/bias")[0]!)
      : 1;
    const P = written.map((p, w) => {
      const copied = source.reduce((sum, word, i) => sum + (word === w ? weights[i]! : 0), 0);
      return generate * p + (1 - generate) * copied;
    });
    const step = { P, generate, weights, coverage };
    coverage = plus(coverage, weights);
    return step;
  });
}

/** −log P and Σ min(a, c), each averaged over all words of all targets. */
export function paperLosses(
  config: PointerGeneratorConfig,
  values: Readonly<Record<string, unknown>>,
  sources: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
) {
  let [words, coverage, count] = [0, 0, 0];
  for (const [b, source] of sources.entries()) {
    const target = targets[b]!;
    for (const [t, step] of paperSteps(config, values, source, target).entries()) {
      const word = !config.pointer && target[t]! >= config.vocabulary ? UNKNOWN : target[t]!;
      words -= Math.log(step.P[word]!);
      coverage += step.weights.reduce((sum, a, i) => sum + Math.min(a, step.coverage[i]!), 0);
      count++;
    }
  }
  return { words: words / count, coverage: coverage / count };
}
