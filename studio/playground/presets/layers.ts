import { at, call, type Expression, named } from "../../call/call.ts";
import { numbersOf } from "../../call/functions.ts";
import type { Preset } from "../preset.ts";
import { randomGrid, type Values } from "../values.ts";
import { maskOf, rowsAt, sequence, stage, TERMS } from "./parts.ts";

/** The width of a head. */
const WIDTH = 3;

/** A projection [D, H, WIDTH], drawn by the seed. */
function projection({ D, heads, seed }: Values, stream: number): Expression {
  return call(
    "tf.tensor3d",
    Array.from({ length: D! }, (_, c) => randomGrid(seed!, 20 + 8 * stream + c, heads!, WIDTH, 0.7)),
  );
}

/** Layers of several attentions, and gates of single elements. */
export const LAYERS: readonly Preset[] = [
  {
    name: "multi-head",
    title: "Multi-head",
    family: "Layers",
    about:
      "Several attentions side by side, each with projections of its own: one may look at the neighbour while another looks for a subject.",
    formula: [
      "head_h = attention([q:Q] [w:W^Q_h], [k:K] [w:W^K_h], [v:V] [w:W^V_h])",
      "out = [heads:[head_1; …; head_H]] [w:W^O]".replace("[head_1; …; head_H]", "{head_1 ; … ; head_H}"),
    ].join("\n"),
    terms: [
      TERMS.q,
      TERMS.k,
      TERMS.v,
      { key: "w", says: "the projections, learned; here drawn by the seed", controls: ["seed"] },
      {
        key: "heads",
        says: "the heads’ outputs stand side by side before W^O mixes them",
        controls: ["heads"],
      },
    ],
    controls: ["heads", "task", "T", "S", "D", "seed", "causal", "left", "right", "cap"],
    grids: ["q", "k", "v"],
    program(values, grids) {
      const { D, heads, seed } = values;
      const wo = Array.from({ length: heads! }, (_, h) => randomGrid(seed!, 60 + h, WIDTH, D!, 0.7));
      return {
        constants: [
          ["query", sequence(grids.q)],
          ["key", sequence(grids.k)],
          ["value", sequence(grids.v)],
          ["wq", projection(values, 0)],
          ["wk", projection(values, 1)],
          ["wv", projection(values, 2)],
          ["wo", call("tf.tensor3d", wo)],
        ],
        result: call(
          "multiHeadAttention",
          { query: named("query"), key: named("key"), value: named("value") },
          { wq: named("wq"), wk: named("wk"), wv: named("wv"), wo: named("wo") },
          { ...maskOf(values), weights: true },
        ),
        shows: { weights: "weights", output: "output" },
      };
    },
    stages({ result }) {
      const [heads] = numbersOf(at(result, "weights")) as unknown as number[][][][];
      return [
        ...heads!.map((weights, h) =>
          stage(`weights of head ${h + 1}`, h === 0 ? "project, compare" : "beside it", weights, ["t", "s"], {
            ...{ colors: "weights", terms: ["heads", "q", "k"] },
          }),
        ),
        stage("output", "join, Wᴼ", rowsAt(result, "output"), ["t", "c"], { terms: ["w", "v"] }),
      ];
    },
  },
  {
    name: "sigmoid-gate",
    title: "Element-wise gate",
    family: "Layers",
    about:
      "No pairs at all: each number is weighted by itself, so the cost is linear. This gate is the sigmoid of the number.",
    formula: "g_i = [gate:σ]([q:x_i])\nout_i = [q:x_i] [gate:g_i]",
    terms: [
      { key: "q", says: "x, the features", controls: ["grid-q", "T", "D"] },
      { key: "gate", says: "g, between 0 and 1", controls: ["seed"] },
    ],
    controls: ["task", "T", "D", "seed"],
    grids: ["q"],
    starts: { task: 2 },
    program: (_, { q }) => ({
      constants: [["x", call("tf.tensor2d", q)]],
      result: call("sigmoidGate", named("x")),
      shows: { gate: "gate", output: "output" },
    }),
    stages: ({ grids, result }) => [
      stage("x", "features", grids.q, ["t", "c"], { terms: ["q"] }),
      stage("gate g", "σ", numbersOf(at(result, "gate")) as number[][], ["t", "c"], {
        ...{ colors: "weights", terms: ["gate"] },
      }),
      stage("output", "x · g", numbersOf(at(result, "output")) as number[][], ["t", "c"], { terms: ["q"] }),
    ],
  },
];
