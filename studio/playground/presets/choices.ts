import { call, type Expression, Lambda, named, type Program } from "../../call/call.ts";
import { FUNCTIONS } from "../../call/functions.ts";
import type { Preset, Stage, StageContext } from "../preset.ts";
import type { Grids, Values } from "../values.ts";
import { head, maskOf, rawScores, rowsAt, sequence, stage, TERMS } from "./parts.ts";
import { SCALED, scorePreset } from "./scores.ts";

/** A function of q, k, v [1, 1, T, D] and options. */
export function headsProgram(
  name: string,
  { q, k, v }: Grids,
  args: readonly Expression[],
  shows: Program["shows"] = { weights: "weights", output: "output" },
): Program {
  return {
    constants: [
      ["q", head(q)],
      ["k", head(k)],
      ["v", head(v)],
    ],
    result: call(name, named("q"), named("k"), named("v"), ...args),
    shows,
  };
}

/** The stages before the weights, which such a function does not return: those of `attend` with the same mask. */
export function stagesBefore({ values, grids }: Pick<StageContext, "values" | "grids">): Stage[] {
  const { attend, "tf.tensor3d": tensor } = FUNCTIONS as Record<string, (x: unknown) => unknown>;
  const mask = maskOf(values);
  const traced = attend!({
    ...{ queries: tensor!([grids.q]), keys: tensor!([grids.k]), values: tensor!([grids.v]) },
    ...{ trace: true, ...(mask && { mask }) },
  });
  const masked = rowsAt(traced, "trace.masked");
  const isMasked = masked.some((row) => row.includes(Number.NEGATIVE_INFINITY));
  return [
    stage("q·k", "compare", rawScores(grids), ["t", "s"], { terms: ["q", "k"] }),
    stage("scores e", "÷ √D", rowsAt(traced, "trace.scores"), ["t", "s"], { terms: ["scale"] }),
    ...(isMasked ? [stage("masked", "mask", masked, ["t", "s"], { terms: ["mask"] })] : []),
  ];
}

export const stagesOf =
  (step: string, terms: readonly string[]) =>
  (context: StageContext): Stage[] => [
    ...stagesBefore(context),
    stage("weights α", step, rowsAt(context.result, "weights"), ["t", "s"], { colors: "weights", terms }),
    stage("output", "Σ α v", rowsAt(context.result, "output"), ["t", "c"], { terms: ["v"] }),
  ];

const CONTROLS = ["task", "T", "S", "D", "seed", "causal", "left", "right"] as const;
const GRIDS = ["q", "k", "v"] as const;
const asked = (values: Values, more: { readonly [key: string]: Expression } = {}) => [
  { ...maskOf(values), ...more, weights: true },
];

export const CHOICES: readonly Preset[] = [
  scorePreset({
    name: "soft",
    title: "Soft attention",
    family: "Soft and hard",
    about:
      "Every key gets a share, and the output is the mean of the values by these shares, so a small change of a score changes it a little.",
    score: SCALED,
    terms: [TERMS.q, TERMS.k, TERMS.scale],
    make: () => ({}),
    isRawShown: true,
  }),
  {
    name: "hard",
    title: "Hard attention, argmax",
    family: "Soft and hard",
    about:
      "Each query copies the one value whose score is largest. No gradient says where else to look, so this alone does not learn.",
    formula: `${SCALED}\ns^* = [pick:argmax_{[mask:s]}] e_{ts}\nout_t = [v:v_{s^*}]`,
    terms: [
      ...[TERMS.q, TERMS.k, TERMS.scale],
      { key: "pick", says: "of equal scores the first is taken", controls: ["seed"] },
      ...[TERMS.mask, TERMS.v],
    ],
    controls: CONTROLS,
    grids: GRIDS,
    program: (values, grids) => headsProgram("hardAttention", grids, asked(values)),
    stages: stagesOf("argmax", ["pick"]),
  },
  {
    name: "sample",
    title: "Hard attention, sampled",
    family: "Soft and hard",
    about:
      "Each query draws one key, as likely as its weight says, and copies its value; rewards teach it where to look (REINFORCE).",
    formula: `${SCALED}\nα_t = softmax_{[mask:s]}(e_{ts})\ns^* ~ "drawn from" ~ [draw:α_t],~out_t = [v:v_{s^*}]`,
    terms: [
      ...[TERMS.q, TERMS.k, TERMS.scale, TERMS.mask],
      { key: "draw", says: "another seed draws other keys", controls: ["seed"] },
      TERMS.v,
    ],
    controls: CONTROLS,
    grids: GRIDS,
    program: (values, grids) =>
      headsProgram("sampledAttention", grids, asked(values, { training: true, seed: values.seed! })),
    stages: stagesOf("softmax", ["draw"]),
  },
  {
    name: "gumbel",
    title: "Gumbel softmax",
    family: "Soft and hard",
    about:
      "Noise on the scores makes the softmax nearly a draw, and it still has a gradient; a small τ makes it one-hot.",
    formula: `${SCALED}\nα_t = softmax_{[mask:s]}((e_{ts} + [draw:g_{ts}])/[gumbel:τ])\nout_t = ∑_s α_{ts} [v:v_s]`,
    terms: [
      ...[TERMS.q, TERMS.k, TERMS.scale],
      { key: "draw", says: "g, Gumbel noise: the seed draws it", controls: ["seed"] },
      { key: "gumbel", says: "τ, near 0 it is a draw, large it is even", controls: ["gumbel", "hard"] },
      ...[TERMS.mask, TERMS.v],
    ],
    controls: ["gumbel", "hard", ...CONTROLS],
    grids: GRIDS,
    program(values, grids) {
      const mask = maskOf(values);
      const options = {
        ...{ seed: values.seed!, temperature: values.gumbel! },
        ...(values.hard === 1 && { hard: true }),
      };
      return {
        constants: [
          ["queries", sequence(grids.q)],
          ["keys", sequence(grids.k)],
          ["values", sequence(grids.v)],
        ],
        result: call("attend", {
          ...{ queries: named("queries"), keys: named("keys"), values: named("values") },
          ...(mask && { mask }),
          normalize: lambdaOf("gumbelSoftmax", options),
          trace: true,
        }),
        shows: { weights: "trace.weights", output: "trace.output" },
      };
    },
    stages: ({ values, grids, result }) => [
      ...stagesBefore({ values, grids }),
      stage("weights α", "noise, softmax", rowsAt(result, "trace.weights"), ["t", "s"], {
        ...{ colors: "weights", terms: ["draw", "gumbel"] },
      }),
      stage("output", "Σ α v", rowsAt(result, "trace.output"), ["t", "c"], { terms: ["v"] }),
    ],
  },
  {
    name: "sink",
    title: "Attention with a sink",
    family: "Soft and hard",
    about:
      "A logit without a value competes with the keys, so a query may look at nothing: the rows of weights sum to less than 1.",
    formula: `${SCALED}\nα_{ts} = \\frac{exp(e_{ts})}{exp([sink:b]) + ∑_{[mask:r]} exp(e_{tr})}\nout_t = ∑_s α_{ts} [v:v_s]`,
    terms: [
      ...[TERMS.q, TERMS.k, TERMS.scale],
      { key: "sink", says: "b, the sink’s logit: large takes all the weight", controls: ["sink"] },
      ...[TERMS.mask, TERMS.v],
    ],
    controls: ["sink", ...CONTROLS, "cap"],
    grids: GRIDS,
    program: (values, grids) =>
      headsProgram("sinkAttention", grids, [
        { sink: values.sink! },
        { ...maskOf(values), weights: true, sinkMass: true },
      ]),
    stages: stagesOf("softmax beside the sink", ["sink"]),
  },
];

/** `(scores) => f(scores, options)` */
function lambdaOf(name: string, options: Expression): Expression {
  return new Lambda("scores", call(name, named("scores"), options));
}
