import { traceTensor } from "../../../src/inspect/trace/tensor.ts";
import { at, call, type Expression, evaluate, named } from "../../call/call.ts";
import { FUNCTIONS, type Nested, numbersOf } from "../../call/functions.ts";
import type { Preset } from "../preset.ts";
import { rounded, type Values } from "../values.ts";
import { rowsAt, stage } from "./parts.ts";
import { picture, pngOf } from "./scenes.ts";

const [H, W] = [18, 20];
/** Rows and columns of a glimpse. */
const SIZE = [8, 8] as const;

const image = ({ seed }: Values): [string, Expression] => [
  "image",
  call("tf.reshape", call("tf.tensor2d", picture(seed!, H, W)), [1, H, W, 1]),
];
const one = (value: number) => call("tf.tensor1d", [value]);

const gaussian = ({ uy, dy, sy, ux, dx, sx }: Values): Expression => ({
  y: { u: one(uy!), d: one(dy!), s: one(sy!) },
  x: { u: one(ux!), d: one(dx!), s: one(sx!) },
});

/** [1, h, w, 1] as rows. */
const pixels = (value: unknown): number[][] =>
  (numbersOf(value) as Nested[] as number[][][][])[0]!.map((row) => row.map(([x]) => x!));

/** θ: scaled and turned by the same amount in both directions, on the image's own sides. */
function theta({ zoom, turn, moveX, moveY }: Values): number[][] {
  const [c, s] = [Math.cos, Math.sin].map((f) => rounded(zoom! * f((turn! * Math.PI) / 180)));
  return [
    [c!, -s! || 0, moveX!],
    [s!, c!, moveY!],
  ];
}

const given = (values: Values) =>
  stage("image I", "given", picture(values.seed!, H, W), ["y", "x"], { colors: "image", terms: ["image"] });
const IMAGE = { key: "image", says: "I, the image", controls: ["seed"] };
const AXES = [
  { key: "y", says: "A_y has a Gaussian for each row of the glimpse", controls: ["uy", "dy", "sy"] },
  { key: "x", says: "A_x has one for each column", controls: ["ux", "dx", "sx"] },
];

export const GLIMPSES: readonly Preset[] = [
  {
    name: "crop",
    title: "Hard crop",
    family: "Glimpses",
    about: "Hard attention on an image is indexing: the pixels of a window. Its place has no gradient.",
    formula: "g_{ij} = [image:I]_{[at:y] + i, [at:x] + j}".replace("_{[at:y]", "_{[at:y]"),
    terms: [IMAGE, { key: "at", says: "the window’s first pixel", controls: ["row", "column"] }],
    controls: ["row", "column", "seed"],
    grids: [],
    program: (values) => ({
      constants: [image(values)],
      result: call(
        "hardCrop",
        named("image"),
        {
          y: call("tf.tensor1d", [values.row!], "int32"),
          x: call("tf.tensor1d", [values.column!], "int32"),
        },
        [...SIZE],
        { outside: "clamp" },
      ),
      shows: { output: "output" },
    }),
    stages: ({ values, result }) => [
      given(values),
      stage("glimpse g", "index", pixels(at(result, "output")), ["y", "x"], {
        colors: "image",
        terms: ["at"],
      }),
    ],
  },
  {
    name: "gaussian-glimpse",
    title: "Gaussian glimpse (DRAW)",
    family: "Glimpses",
    about:
      "Every pixel of the glimpse is a mean of the image under a Gaussian of its own. Six numbers move it, and each has a gradient.",
    formula: [
      "[y:A_y]_{rm} ∝ exp(−\\frac{(m − [y:μ_y] − r [y:d_y])^2}{2 [y:σ_y^2]}),~[x:A_x]_{cn} " + '"likewise"',
      "g = [y:A_y] [image:I] [x:A_x]^⊤",
    ].join("\n"),
    terms: [IMAGE, ...AXES],
    controls: ["uy", "dy", "sy", "ux", "dx", "sx", "seed"],
    grids: [],
    program: (values) => ({
      constants: [image(values)],
      result: call("gaussianGlimpse", named("image"), gaussian(values), [...SIZE], { filters: true }),
      shows: { output: "output", y: "filters.y", x: "filters.x" },
    }),
    stages: ({ values, result }) => [
      given(values),
      stage("where it looks", "a_y a_xᵀ", rowsAt(maskOf(values), "map"), ["y", "x"], {
        ...{ colors: "weights", terms: ["y", "x"] },
      }),
      stage("A_y: a row of the glimpse each", "Gaussians", rowsAt(result, "filters.y"), ["t", "y"], {
        ...{ colors: "weights", terms: ["y"] },
      }),
      stage("A_x: a column each", "and", rowsAt(result, "filters.x"), ["t", "x"], {
        colors: "weights",
        terms: ["x"],
      }),
      stage("glimpse g", "A_y I A_xᵀ", pixels(at(result, "output")), ["y", "x"], {
        colors: "image",
        terms: ["image"],
      }),
    ],
    figure: ({ values }) => {
      const { uy, dy, sy, ux, dx, sx } = values;
      const numbers = Float32Array.of(uy!, dy!, sy!, ux!, dx!, sx!);
      return { view: "marginals", trace: traceOf(values, traceTensor([6], numbers)) };
    },
  },
  {
    name: "spatial-transformer",
    title: "Spatial transformer",
    family: "Glimpses",
    about:
      "An affine window that moves, zooms and turns. Each pixel of the glimpse reads the four nearest of the image.",
    formula: '\\vec{p} = [theta:θ] (x_j, y_i, 1)^⊤\ng_{ij} = "bilinear"([image:I], \\vec{p})',
    terms: [
      IMAGE,
      {
        key: "theta",
        says: "θ, six numbers; here one scale, one turn and two shifts",
        controls: ["zoom", "turn", "moveX", "moveY"],
      },
    ],
    controls: ["zoom", "turn", "moveX", "moveY", "seed"],
    grids: [],
    program: (values) => ({
      constants: [image(values), ["theta", call("tf.tensor3d", [theta(values)])]],
      result: call("spatialTransformer", named("image"), named("theta"), [...SIZE], { alignCorners: true }),
      shows: { output: "output" },
    }),
    stages: ({ values, result }) => [
      given(values),
      stage("glimpse g", "grid, sample", pixels(at(result, "output")), ["y", "x"], {
        colors: "image",
        terms: ["theta"],
      }),
    ],
    figure: ({ values }) => ({
      view: "glimpse",
      trace: traceOf(values, traceTensor([2, 3], Float32Array.from(theta(values).flat()))),
    }),
  },
];

/** The mask of the whole image, by heed's `gaussianMask2d`. */
function maskOf(values: Values): unknown {
  return evaluate(call("gaussianMask2d", gaussian(values), [...SIZE], [H, W]), FUNCTIONS);
}

function traceOf(values: Values, glimpse: ReturnType<typeof traceTensor>) {
  const image = pngOf(picture(values.seed!, H, W));
  return { tokens: {}, layers: [], image, glimpses: [glimpse], glimpseSizes: [SIZE] };
}
