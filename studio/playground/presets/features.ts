import { traceTensor } from "../../../src/inspect/trace/tensor.ts";
import { at, call, type Expression, named } from "../../call/call.ts";
import { type Nested, numbersOf } from "../../call/functions.ts";
import type { Preset, Stage, StageContext } from "../preset.ts";
import type { Values } from "../values.ts";
import { stage } from "./parts.ts";
import { channels } from "./scenes.ts";

const [H, W, C] = [8, 10, 3];
const NAMES = ["disc", "stripes", "noise"];

const image = ({ seed }: Values): [string, Expression] => ["x", call("tf.tensor4d", [channels(seed!, H, W)])];
const eye = (factor: number) => NAMES.map((_, r) => NAMES.map((_, c) => (r === c ? factor : 0)));

/** One gate for each channel, that its mean says. */
const bottleneck = ({ gain, shift }: Values, first: number): Expression => ({
  w1: call("tf.tensor2d", eye(first)),
  w2: call("tf.tensor2d", eye(gain!)),
  b2: call("tf.fill", [C], shift!),
});

/** A filter of equal weights over the mean and the largest channel. */
function filter({ kernel, gain, shift }: Values): Expression {
  const side = 2 * kernel! + 1;
  return {
    w: call("tf.fill", [side, side, 2, 1], Math.round((2e4 * gain!) / (side * side)) / 1e4),
    b: call("tf.tensor1d", [shift!]),
  };
}

/** Channel c of [1, H, W, C]. */
function channel(value: unknown, c: number): number[][] {
  const [rows] = numbersOf(value) as Nested[] as number[][][][];
  return rows!.map((row) => row.map((pixel) => pixel[c]!));
}

const panels = (title: string, step: string, value: unknown, terms: readonly string[]): Stage[] =>
  NAMES.map((name, c) =>
    stage(`${title}: ${name}`, c === 0 ? step : "and", channel(value, c), ["y", "x"], {
      colors: "image",
      terms,
    }),
  );

const given = ({ values }: StageContext) => {
  const scene = channels(values.seed!, H, W);
  return NAMES.map((name, c) =>
    stage(
      `x: ${name}`,
      c === 0 ? "three channels" : "and",
      scene.map((row) => row.map((p) => p[c]!)),
      ["y", "x"],
      {
        ...{ colors: "image", terms: ["x"] },
      },
    ),
  );
};

const gateStage = (result: unknown): Stage =>
  stage(
    "gate, one a channel",
    "squeeze, excite",
    [(numbersOf(at(result, "gate")) as number[][][][])[0]![0]![0]!],
    ["", "c"],
    {
      ...{ colors: "weights", terms: ["gate"], names: NAMES },
    },
  );

const mapStage = (result: unknown): Stage =>
  stage("map, one a pixel", "filter, σ", channel(at(result, "map"), 0), ["y", "x"], {
    ...{ colors: "weights", terms: ["map"] },
  });

const gateTrace = (result: unknown) => {
  const gate = (numbersOf(at(result, "gate")) as number[][][][])[0]![0]![0]!;
  const gates = { channels: traceTensor([C], Float32Array.from(gate)) };
  const trace = { tokens: { channel: NAMES }, layers: [], glimpses: [], gates };
  return { view: "gates", trace } as const;
};

const X = { key: "x", says: "x, an image of three channels: a disc, stripes and noise", controls: ["seed"] };
const GATE = {
  key: "gate",
  says: "the network between mean and gate: its gain and its bias",
  controls: ["gain", "shift"],
};
const MAP = {
  key: "map",
  says: "a filter over mean and largest channel, then σ",
  controls: ["kernel", "gain", "shift"],
};

const START = { gain: 3, shift: -4 };

export const FEATURES: readonly Preset[] = [
  {
    name: "squeeze-excitation",
    title: "Squeeze and excitation",
    family: "Features",
    about: "The mean of each channel says whether it matters: one gate a channel, the same at every pixel.",
    formula:
      'z_c = "mean"_{hw} [x:x_{h w c}]\ng = [gate:σ(W_2 relu(W_1 z) + b_2)]\nout_{h w c} = [x:x_{h w c}] g_c',
    terms: [X, GATE],
    controls: ["gain", "shift", "seed"],
    grids: [],
    starts: START,
    program: (values) => ({
      constants: [image(values)],
      result: call("squeezeExcitation", named("x"), bottleneck(values, 8)),
      shows: { gate: "gate", output: "output" },
    }),
    stages: (context) => [
      ...given(context),
      gateStage(context.result),
      ...panels("out", "x · g", at(context.result, "output"), ["x"]),
    ],
    figure: ({ result }) => gateTrace(result),
  },
  {
    name: "spatial",
    title: "Spatial attention",
    family: "Features",
    about:
      "The mean and the largest channel of a pixel’s neighbourhood say where to look: one weight a pixel, for all channels.",
    formula: 'm = [map:σ(f^{n×n}("mean"_c [x:x] ; max_c [x:x]))]\nout_{h w c} = [x:x_{h w c}] m_{hw}',
    terms: [X, MAP],
    controls: ["kernel", "gain", "shift", "seed"],
    grids: [],
    starts: START,
    program: (values) => ({
      constants: [image(values)],
      result: call("spatialAttention", named("x"), filter(values)),
      shows: { map: "map", output: "output" },
    }),
    stages: (context) => [
      ...given(context),
      mapStage(context.result),
      ...panels("out", "x · m", at(context.result, "output"), ["x"]),
    ],
  },
  {
    name: "cbam",
    title: "CBAM: what, then where",
    family: "Features",
    about: "First one gate a channel, then one weight a pixel: what matters, and then where.",
    formula: "y = [x:x] ⊙ [gate:g(x)]\nout = y ⊙ [map:m(y)]",
    terms: [X, GATE, MAP],
    controls: ["kernel", "gain", "shift", "seed"],
    grids: [],
    starts: START,
    program: (values) => ({
      constants: [image(values)],
      result: call("cbam", named("x"), { channel: bottleneck(values, 2), spatial: filter(values) }),
      shows: { gate: "gate", map: "map", output: "output" },
    }),
    stages: (context) => [
      ...given(context),
      gateStage(context.result),
      mapStage(context.result),
      ...panels("out", "x · g · m", at(context.result, "output"), ["x"]),
    ],
    figure: ({ result }) => gateTrace(result),
  },
  {
    name: "non-local",
    title: "Non-local block",
    family: "Features",
    about:
      "Every pixel reads all pixels, as self-attention over an image does, and adds what it read to itself.",
    formula: "y_i = ∑_j softmax_j([theta:(W_θ x_i)·(W_φ x_j)]) W_g [x:x_j]\nout_i = [x:x_i] + W_z y_i",
    terms: [
      { key: "x", says: "x, the disc’s channel alone, smaller", controls: ["seed"] },
      {
        key: "theta",
        says: "W_θ and W_φ: their gain makes like pixels look at like ones",
        controls: ["gain"],
      },
    ],
    controls: ["gain", "seed"],
    grids: [],
    starts: { gain: 3 },
    program({ seed, gain }) {
      const pixels = channels(seed!, 5, 6).map((row) => row.map(([disc]) => [disc!]));
      const w = (n: number) => call("tf.fill", [1, 1], n);
      return {
        constants: [["x", call("tf.tensor4d", [pixels])]],
        result: call(
          "nonLocal",
          named("x"),
          { wTheta: w(gain!), wPhi: w(1), wG: w(1), wZ: w(1) },
          { weights: true },
        ),
        shows: { weights: "weights", output: "output" },
      };
    },
    stages: ({ values, result }) => [
      stage(
        "x",
        "an image",
        channels(values.seed!, 5, 6).map((row) => row.map(([disc]) => disc!)),
        ["y", "x"],
        {
          ...{ colors: "image", terms: ["x"] },
        },
      ),
      stage(
        "weights of pixel pairs",
        "θ·φ, softmax",
        (numbersOf(at(result, "weights")) as number[][][])[0]!,
        ["t", "s"],
        {
          ...{ colors: "weights", terms: ["theta"] },
        },
      ),
      stage("output", "x + Σ", channel(at(result, "output"), 0), ["y", "x"], {
        colors: "image",
        terms: ["x"],
      }),
    ],
  },
];
