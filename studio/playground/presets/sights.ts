import { call, type Expression, named } from "../../call/call.ts";
import { OPEN } from "../controls.ts";
import type { Preset } from "../preset.ts";
import { headsProgram, stagesOf } from "./choices.ts";
import { head, maskOf, rowsAt, stage, TERMS } from "./parts.ts";
import { SCALED, scorePreset } from "./scores.ts";

const GRIDS = ["q", "k", "v"] as const;
const CONTROLS = ["task", "T", "S", "D", "seed"] as const;
const SCORED = [TERMS.q, TERMS.k, TERMS.scale];
const SOFT = `${SCALED}\nα_t = softmax_{[mask:s]}(e_{ts})\nout_t = ∑_s α_{ts} [v:v_s]`;

/** Who sees whom: masks, windows and positions. */
export const SIGHTS: readonly Preset[] = [
  {
    name: "causal",
    title: "Causal",
    family: "Who sees whom",
    about:
      "No query sees a key after its own place, so what is written next cannot be read now. With T ≠ S, say which corner.",
    formula: `${SCALED}\nα_t = softmax_{[mask:s ≤ t + o]}(e_{ts})\nout_t = ∑_s α_{ts} [v:v_s]`,
    terms: [
      ...SCORED,
      {
        key: "mask",
        says: "o is 0 from the top left corner, S − T from the bottom right",
        controls: ["causal", "left"],
      },
      TERMS.v,
    ],
    controls: [...CONTROLS, "causal", "left", "cap"],
    grids: GRIDS,
    starts: { T: 5, S: 5, causal: 2, task: 2 },
    program: (values, grids) => headsProgram("softAttention", grids, [{ ...maskOf(values), weights: true }]),
    stages: stagesOf("softmax", []),
  },
  {
    name: "local",
    title: "Local window",
    family: "Who sees whom",
    about:
      "Each query reads its neighbourhood only. A window counts the keys before and after a query’s own place, that one aside.",
    formula: `${SCALED}\nα_t = softmax_s(e_{ts}),~[mask:t − l ≤ s ≤ t + r]\nout_t = ∑_s α_{ts} [v:v_s]`,
    terms: [
      ...SCORED,
      { key: "mask", says: "l keys before and r keys after", controls: ["left", "right"] },
      TERMS.v,
    ],
    controls: [...CONTROLS, "left", "right", "cap"],
    grids: GRIDS,
    starts: { T: 6, S: 6, left: 1, right: 1, task: 1 },
    program(values, grids) {
      const open = (n: number): Expression => (n < OPEN ? n : Number.POSITIVE_INFINITY);
      const { left = OPEN, right = OPEN, ...rest } = values;
      const { queryOffset, softCap } = { ...maskOf({ ...rest, left: 0, right: 0 }) } as Record<
        string,
        Expression
      >;
      return headsProgram("localWindowAttention", grids, [
        { left: open(left), right: open(right), queryOffset, softCap, weights: true },
      ]);
    },
    stages: stagesOf("softmax", []),
  },
  scorePreset({
    name: "cross",
    title: "Cross-attention",
    family: "Who sees whom",
    about:
      "The queries come from one sequence and keys and values from another: a translation asks its source. T and S are free.",
    score: SCALED,
    terms: SCORED,
    starts: { T: 3, S: 6 },
    make: () => ({}),
    isRawShown: true,
  }),
  {
    name: "self",
    title: "Self-attention",
    family: "Who sees whom",
    about: "Queries, keys and values are the same sequence: every place reads all places, its own too.",
    formula: [
      "e_{ts} = \\frac{[q:x_t]·[q:x_s]}{[scale:\\sqrt{D}]}",
      "α_t = softmax_{[mask:s]}(e_{ts})",
      "out_t = ∑_s α_{ts} [q:x_s]",
    ].join("\n"),
    terms: [
      { key: "q", says: "x_t, one sequence for all three", controls: ["grid-q", "T", "D"] },
      TERMS.scale,
      TERMS.mask,
    ],
    controls: ["task", "T", "D", "seed", "causal", "left", "right", "cap"],
    grids: ["q"],
    starts: { T: 5, task: 1 },
    program: (values, { q }) => ({
      constants: [["x", head(q)]],
      result: call("softAttention", named("x"), named("x"), named("x"), {
        ...maskOf({ ...values, S: values.T! }),
        weights: true,
      }),
      shows: { weights: "weights", output: "output" },
    }),
    stages: ({ values, grids, result }) =>
      stagesOf(
        "softmax",
        [],
      )({ values: { ...values, S: values.T! }, grids: { q: grids.q, k: grids.q, v: grids.q }, result }),
  },
  scorePreset({
    name: "alibi",
    title: "ALiBi: near keys first",
    family: "Who sees whom",
    about:
      "Attention alone knows no order. ALiBi lowers a score by the distance of its key, with nothing to learn.",
    score: "e_{ts} = \\frac{[q:q_t]·[k:k_s]}{[scale:\\sqrt{D}]} − [bias:m |t + S − T − s|]",
    terms: [
      ...SCORED,
      { key: "bias", says: "m = 1/2, the slope of the first of eight heads", controls: ["S", "T"] },
    ],
    starts: { T: 5, S: 6, task: 2 },
    make: ({ T, S }) => ({
      constants: [
        [
          "bias",
          call("tf.reshape", call("alibiBias", 1, T!, S!, { queryOffset: S! - T!, most: 1 }), [T!, S!]),
        ],
      ],
      mask: { bias: named("bias") },
    }),
    isRawShown: true,
  }),
  {
    name: "top-k",
    title: "Top-k",
    family: "Who sees whom",
    about:
      "Each query keeps the keys with the largest scores and forgets the others: sparse, and it finds them anywhere.",
    formula: SOFT.replace("[mask:s]", "s ∈ [keep:K_t]"),
    terms: [
      ...SCORED,
      { key: "keep", says: "K_t, the keys with the largest scores", controls: ["keep"] },
      TERMS.v,
    ],
    controls: ["keep", ...CONTROLS],
    grids: GRIDS,
    starts: { task: 2, T: 5, S: 7 },
    program: (values, grids) =>
      headsProgram("topKAttention", grids, [{ k: Math.min(values.keep!, values.S!), weights: true }]),
    stages: stagesOf("keep, softmax", ["keep"]),
  },
  {
    name: "linear",
    title: "Linear attention",
    family: "Who sees whom",
    about:
      "Without the softmax, keys and values can be summed once for all queries, and the cost grows with n instead of n².",
    formula: [
      "α_{ts} = \\frac{[phi:φ]([q:q_t])·[phi:φ]([k:k_s])}{∑_r [phi:φ]([q:q_t])·[phi:φ]([k:k_r])}",
      "out_t = ∑_s α_{ts} [v:v_s]",
    ].join("\n"),
    terms: [
      TERMS.q,
      TERMS.k,
      { key: "phi", says: "φ = elu + 1 makes features that are positive", controls: ["seed"] },
      TERMS.v,
    ],
    controls: CONTROLS,
    grids: GRIDS,
    program: (_, grids) => headsProgram("linearAttention", grids, [{ weights: true }]),
    stages: ({ result }) => [
      stage("weights α", "φ(q)·φ(k)", rowsAt(result, "weights"), ["t", "s"], {
        colors: "weights",
        terms: ["phi", "q", "k"],
      }),
      stage("output", "Σ α v", rowsAt(result, "output"), ["t", "c"], { terms: ["v"] }),
    ],
  },
];
