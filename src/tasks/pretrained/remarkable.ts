import { type HeadStatistics, headStatistics, layerMap, type Trace } from "../../inspect/index.ts";

/** Something that a head may be known for. */
export interface Habit {
  readonly name: string;
  /** What such a head does, as a sentence without its subject. */
  readonly does: string;
  /** How much it does it, the larger the more; NaN where it cannot be told. */
  readonly of: (statistics: HeadStatistics, separatorMass: number) => number;
  /** Below this nobody would call it that. */
  readonly least: number;
}

/** The habits that heads are known for, each with the paper that named it. */
export const HABITS: readonly Habit[] = [
  {
    name: "previous token",
    does: "looks at the token before",
    of: ({ previousToken }) => previousToken,
    least: 0.4,
  },
  { name: "first token", does: "looks at the first token", of: ({ firstToken }) => firstToken, least: 0.4 },
  // Clark et al. 2019, arxiv.org/abs/1906.04341.
  { name: "separator", does: "looks at separators", of: (_, mass) => mass, least: 0.5 },
  { name: "itself", does: "looks at its own token", of: ({ selfMass }) => selfMass, least: 0.4 },
  {
    name: "duplicate",
    does: "looks at earlier places of the same token",
    of: ({ duplicate }) => duplicate,
    least: 0.3,
  },
  // Olsson et al. 2022, arxiv.org/abs/2209.11895.
  {
    name: "induction",
    does: "looks at what followed the same token earlier",
    of: ({ induction }) => induction,
    least: 0.3,
  },
  { name: "sharpest", does: "looks at one token at a time", of: ({ confidence }) => confidence, least: 0 },
];

export interface RemarkableHead {
  readonly habit: string;
  readonly does: string;
  readonly layer: number;
  readonly head: number;
  /** Mean share of a query's weight, 0 … 1. */
  readonly share: number;
}

/** Pieces that separate and fill: of BERT, RoBERTa, T5, GPT-2 and Llama. */
const SEPARATOR = /^(?:\[SEP\]|\[CLS\]|\[PAD\]|<\/?s>|<pad>|<\|endoftext\|>|<\|im_(?:start|end)\|>)$/;

/**
 * The head that shows each habit most, for the habits that any head has.
 *
 * @example
 * const model = await loadModel("my-model");
 * const heads = remarkableHeads(model.look("The cat sat on the mat."));
 * heads.map(({ habit, layer, head }) => `${habit}: ${layer}.${head}`);
 * model.dispose();
 */
export function remarkableHeads(trace: Trace): RemarkableHead[] {
  const best = new Map<Habit, RemarkableHead>();
  for (const [layer, given] of trace.layers.entries()) {
    const map = layerMap(given);
    const tokens = given.alignQ === given.alignK ? trace.tokens[given.alignQ] : undefined;
    const separators = tokens?.map((token) => SEPARATOR.test(token));
    for (let head = 0; head < map.H; head++) {
      const statistics = headStatistics(map, head, tokens ? { tokens } : {});
      const { columnMass, queries } = statistics;
      const separator = separators?.some(Boolean)
        ? columnMass.reduce((sum, mass, s) => sum + (separators[s] ? mass : 0), 0) / queries
        : Number.NaN;
      for (const habit of HABITS) {
        const share = habit.of(statistics, separator);
        if (!(share >= habit.least && share > (best.get(habit)?.share ?? -1))) continue;
        best.set(habit, { habit: habit.name, does: habit.does, layer, head, share });
      }
    }
  }
  return HABITS.flatMap((habit) => best.get(habit) ?? []);
}
