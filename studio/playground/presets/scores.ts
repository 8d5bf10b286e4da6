import { call, type Expression, named } from "../../call/call.ts";
import type { Preset, StageContext, Term } from "../preset.ts";
import { type Grids, randomGrid, rounded, type Values } from "../values.ts";
import { ATTEND_CONTROLS, maskOf, normalizerOf, rawScores, rowsAt, sequence, stage, TERMS } from "./parts.ts";

interface ScorePreset extends Pick<Preset, "name" | "title" | "about"> {
  /** The first line: the score. */
  readonly score: string;
  readonly terms: readonly Term[];
  readonly family?: Preset["family"];
  readonly controls?: readonly string[];
  readonly starts?: Values;
  /** The score's call and the constants that it needs. */
  readonly make: (
    values: Values,
    grids: Grids,
  ) => {
    constants?: [string, Expression][];
    score?: Expression;
    mask?: { readonly [key: string]: Expression };
  };
  readonly isRawShown?: boolean;
}

export const WEIGHTS_AND_OUTPUT = [
  'α_t = [norm:softmax_s](e_{ts}/[tau:τ])~[mask:s "seen by" t]',
  "out_t = ∑_s α_{ts} [v:v_s]",
].join("\n");

/** A preset of `attend`: score, mask, normaliser and values, each stage from heed's own trace. */
export function scorePreset(preset: ScorePreset): Preset {
  const { name, title, about, score, terms, controls = [], make, isRawShown = false } = preset;
  return {
    ...{ name, title, about, family: preset.family ?? "Scores" },
    formula: `${score}\n${WEIGHTS_AND_OUTPUT}`,
    terms: [...terms, TERMS.norm, TERMS.tau, TERMS.mask, TERMS.v],
    controls: [...controls, ...ATTEND_CONTROLS],
    grids: ["q", "k", "v"],
    ...(preset.starts && { starts: preset.starts }),
    program(values, grids) {
      const made = make(values, grids);
      const mask = { ...maskOf(values), ...made.mask };
      const normalize = normalizerOf(values);
      return {
        constants: [
          ["queries", sequence(grids.q)],
          ["keys", sequence(grids.k)],
          ["values", sequence(grids.v)],
          ...(made.constants ?? []),
        ],
        result: call("attend", {
          queries: named("queries"),
          keys: named("keys"),
          values: named("values"),
          ...(made.score !== undefined && { score: made.score }),
          ...(Object.keys(mask).length > 0 && { mask }),
          ...(normalize !== undefined && { normalize }),
          trace: true,
        }),
        shows: { weights: "trace.weights", output: "trace.output" },
      };
    },
    stages: (context) => attendStages(context, isRawShown),
  };
}

/** Scores → masked → weights → output, from the trace of `attend`. */
export function attendStages({ values, grids, result }: StageContext, isRawShown: boolean) {
  const masked = rowsAt(result, "trace.masked");
  const isMasked = masked.some((row) => row.includes(Number.NEGATIVE_INFINITY));
  const capped = values.cap !== undefined && values.cap < 10 ? ", soft-cap" : "";
  return [
    ...(isRawShown ? [stage("q·k", "compare", rawScores(grids), ["t", "s"], { terms: ["q", "k"] })] : []),
    stage(
      "scores e",
      isRawShown ? `÷ √D${capped}` : `score${capped}`,
      rowsAt(result, "trace.scores"),
      ["t", "s"],
      {
        terms: ["q", "k", "scale", "score"],
      },
    ),
    ...(isMasked ? [stage("masked", "mask", masked, ["t", "s"], { terms: ["mask"] })] : []),
    stage("weights α", "normalise", rowsAt(result, "trace.weights"), ["t", "s"], {
      ...{ colors: "weights", terms: ["norm", "tau"] },
    }),
    stage("output", "Σ α v", rowsAt(result, "trace.output"), ["t", "c"], { terms: ["v"] }),
  ];
}

/** W of the general score: the identity with pairs of channels turned, so that turning it turns what is found. */
function turned(D: number, degrees: number): number[][] {
  const [c, s] = [Math.cos, Math.sin].map((f) => rounded(f((degrees * Math.PI) / 180)));
  return Array.from({ length: D }, (_, r) =>
    Array.from({ length: D }, (_, x) => {
      const isLone = r === D - 1 && D % 2 === 1;
      if (r === x) return isLone ? 1 : c!;
      if (Math.floor(r / 2) !== Math.floor(x / 2)) return 0;
      return r < x ? s! : -s! || 0;
    }),
  );
}

const SCALED = "e_{ts} = \\frac{[q:q_t]·[k:k_s]}{[scale:\\sqrt{D}]}";

export const SCORES: readonly Preset[] = [
  scorePreset({
    name: "dot",
    title: "Dot product",
    about: "The score is large where query and key point the same way; nothing is learned in it.",
    score: "e_{ts} = [q:q_t]·[k:k_s]",
    terms: [TERMS.q, TERMS.k],
    make: () => ({ score: call("dotScore") }),
  }),
  scorePreset({
    name: "scaled-dot",
    title: "Scaled dot product",
    about:
      "The dot product, divided by √D, so that the softmax stays soft however wide the keys are. This is the score of Transformers.",
    score: SCALED,
    terms: [TERMS.q, TERMS.k, TERMS.scale],
    make: () => ({}),
    isRawShown: true,
  }),
  scorePreset({
    name: "general",
    title: "General (bilinear)",
    about:
      "A learned matrix W turns the keys before they are compared: what is asked for and what is found may look different.",
    score: "e_{ts} = [q:q_t]^⊤ [w:W] [k:k_s]",
    terms: [
      TERMS.q,
      { key: "w", says: "W, the learned matrix; here it turns pairs of channels", controls: ["angle"] },
      TERMS.k,
    ],
    controls: ["angle"],
    starts: { angle: 30 },
    make: ({ D, angle }) => ({
      constants: [["w", call("tf.tensor2d", turned(D!, angle!))]],
      score: call("generalScore", { w: named("w") }),
    }),
  }),
  scorePreset({
    name: "additive",
    title: "Additive (Bahdanau)",
    about:
      "A small network with one hidden layer judges each pair of query and key: the first attention, of 2014.",
    score: "e_{ts} = [w:v]^⊤ tanh([w:W_1] [k:k_s] + [w:W_2] [q:q_t])",
    terms: [
      TERMS.k,
      TERMS.q,
      { key: "w", says: "W₁, W₂ and v, learned; here drawn by the seed", controls: ["seed"] },
    ],
    make: ({ D, seed }) => ({
      constants: [
        ["w1", call("tf.tensor2d", randomGrid(seed!, 3, D!, 4, 0.8))],
        ["w2", call("tf.tensor2d", randomGrid(seed!, 4, D!, 4, 0.8))],
        ["v", call("tf.tensor1d", randomGrid(seed!, 5, 1, 4, 2)[0]!)],
      ],
      score: call("additiveScore", { w1: named("w1"), w2: named("w2"), v: named("v") }),
    }),
  }),
  scorePreset({
    name: "concat",
    title: "Concat (Luong)",
    about:
      "Query and key side by side go through one matrix: the additive score with both of its matrices in one, in the words of Luong.",
    score: "e_{ts} = [w:v]^⊤ tanh([w:W] ([q:q_t] ; [k:k_s]))",
    terms: [
      ...[TERMS.q, TERMS.k],
      { key: "w", says: "W and v, learned; here drawn by the seed", controls: ["seed"] },
    ],
    make: ({ D, seed }) => ({
      constants: [
        ["w", call("tf.tensor2d", randomGrid(seed!, 3, 2 * D!, 4, 0.8))],
        ["v", call("tf.tensor1d", randomGrid(seed!, 5, 1, 4, 2)[0]!)],
      ],
      score: call("concatScore", { w: named("w"), v: named("v") }),
    }),
  }),
  scorePreset({
    name: "location",
    title: "Location (Luong)",
    about: "The query alone says which places to look at: change the keys, and no weight moves.",
    score: "e_{ts} = ([q:q_t]^⊤ [w:W])_s",
    terms: [
      TERMS.q,
      { key: "w", says: "W has a column for each place; here drawn by the seed", controls: ["seed", "S"] },
    ],
    make: ({ D, S, seed }) => ({
      constants: [["w", call("tf.tensor2d", randomGrid(seed!, 6, D!, S!, 0.7))]],
      score: call("locationScore", { w: named("w") }),
    }),
  }),
  scorePreset({
    name: "cosine",
    title: "Cosine",
    about: "Only the directions of query and key count, not their lengths, so scores stay between −1 and 1.",
    score: "e_{ts} = \\frac{[q:q_t]·[k:k_s]}{‖[q:q_t]‖ ‖[k:k_s]‖}",
    terms: [TERMS.q, TERMS.k],
    starts: { tau: 0.2 },
    make: () => ({ score: call("cosineScore") }),
  }),
];

export { SCALED };
