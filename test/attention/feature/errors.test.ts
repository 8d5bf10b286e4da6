import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import * as feature from "../../../src/attention/feature/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import "../support.ts";

const x = () => tf.zeros<tf.Rank.R4>([2, 3, 5, 7]);
const zeros = <T extends tf.Tensor>(...shape: number[]) => tf.zeros(shape) as unknown as T;
const matrix = (rows: number, columns: number) => zeros<tf.Tensor2D>(rows, columns);
const vector = (n: number) => zeros<tf.Tensor1D>(n);
const filter = (...shape: number[]) => ({ w: zeros<tf.Tensor4D>(...shape) });
const bottleneck = { w1: () => matrix(7, 2), w2: () => matrix(2, 7) };
const LETTERS = "the letters must mean the same sizes in all of the call's tensors";
const ODD = "must have an odd height and width, so that it has a middle";

beforeAll(() => tf.setBackend("cpu"));

const refused: [string, typeof ShapeError | typeof OptionError, () => unknown, string][] = [
  [
    "images of rank 3",
    ShapeError,
    () =>
      feature.squeezeExcitation(zeros<tf.Tensor4D>(3, 5, 7), { w1: bottleneck.w1(), w2: bottleneck.w2() }),
    "squeezeExcitation: x [B, H, W, C] must have rank 4, got shape [3, 5, 7]; reshape it first",
  ],
  [
    "images without pixels",
    ShapeError,
    () =>
      feature.squeezeExcitation(zeros<tf.Tensor4D>(2, 0, 5, 7), { w1: bottleneck.w1(), w2: bottleneck.w2() }),
    "squeezeExcitation: x [B, H, W, C] must hold at least one element an example, got shape [2, 0, 5, 7]; a mean over nothing has no value; leave such inputs out",
  ],
  [
    "integers",
    ShapeError,
    () => feature.sigmoidGate(tf.tensor1d([1, 2], "int32")),
    `sigmoidGate: x must be float32 of shape […] = [2], got int32 of shape [2]; ${LETTERS}`,
  ],
  [
    "a gate of another width",
    ShapeError,
    () => feature.learnableGate(x(), { w: vector(5) }),
    `learnableGate: w must be float32 of shape [C] = [7], got float32 of shape [5]; ${LETTERS}`,
  ],
  [
    "a projection to another width",
    ShapeError,
    () => feature.projectedGate(x(), { w: matrix(7, 5) }),
    `projectedGate: w must be float32 of shape [C, C] = [7, 7], got float32 of shape [7, 5]; ${LETTERS}`,
  ],
  [
    "hidden units that disagree",
    ShapeError,
    () => feature.elementMlpGate(x(), { w1: vector(3), b1: vector(2), w2: vector(3), b2: vector(1) }),
    `elementMlpGate: b1 must be float32 of shape [M] = [3], got float32 of shape [2]; ${LETTERS}`,
  ],
  [
    "a context of rank 3 for images",
    ShapeError,
    () => feature.contextualGate(x(), zeros(2, 3, 4), { wc: matrix(4, 7) }),
    "contextualGate: context must have rank 2 or that of x, 4, got shape [2, 3, 4]; reshape it first",
  ],
  [
    "a context of another batch",
    ShapeError,
    () => feature.contextualGate(x(), zeros(3, 4), { wc: matrix(4, 7) }),
    `contextualGate: context must be float32 of shape [B, K] = [2, 4], got float32 of shape [3, 4]; ${LETTERS}`,
  ],
  [
    "an importance that there is not",
    OptionError,
    () => feature.elementAttention(x(), { importance: "size" } as never),
    'elementAttention: importance must be "magnitude" or "context" or "learned", got size; choose one of them',
  ],
  [
    "a penalty that there is not",
    OptionError,
    () => feature.gatePenalty(vector(3), { kind: "l2" } as never),
    'gatePenalty: kind must be "l1" or "entropy", got l2; choose one of them',
  ],
  [
    "a gated residual of another shape",
    ShapeError,
    () => feature.gatedResidual(matrix(2, 3), matrix(1, 3), 1),
    `gatedResidual: gated must be float32 of shape that of x = [2, 3], got float32 of shape [1, 3]; ${LETTERS}`,
  ],
  [
    "a pooling mask of numbers",
    OptionError,
    () => feature.gatedPooling(zeros(2, 3, 5), zeros(2, 3, 1), { allow: matrix(2, 3) }),
    "gatedPooling: allow must be bool, true where a query may attend, got float32; cast it to bool, or pass numbers to add to the scores as bias",
  ],
  [
    "a second layer that does not fit the first",
    ShapeError,
    () => feature.squeezeExcitation(x(), { w1: bottleneck.w1(), w2: matrix(3, 7) }),
    `squeezeExcitation: w2 must be float32 of shape [R, C] = [2, 7], got float32 of shape [3, 7]; ${LETTERS}`,
  ],
  [
    "a hidden layer of no width",
    ShapeError,
    () => feature.squeezeExcitation(x(), { w1: matrix(7, 0), w2: matrix(0, 7) }),
    "squeezeExcitation: w1 [C, R] must have at least one column, got shape [7, 0]; a hidden layer of no width passes nothing on; give it a width of 1 or more",
  ],
  [
    "an even number of taps",
    ShapeError,
    () => feature.efficientChannelAttention(x(), { w: vector(4) }),
    "efficientChannelAttention: w [k] must have an odd length k, got k = 4; use the next odd size, or adaptiveKernelSize(C)",
  ],
  [
    "an even filter",
    ShapeError,
    () => feature.spatialAttention(x(), filter(2, 3, 2, 1)),
    `spatialAttention: w ${ODD}, got 2 × 3; use the next odd size`,
  ],
  [
    "a filter of other channels",
    ShapeError,
    () => feature.spatialAttention(x(), filter(3, 3, 7, 1)),
    `spatialAttention: w must be float32 of shape [height, width, in, out] = [3, 3, 2, 1], got float32 of shape [3, 3, 7, 1]; ${LETTERS}`,
  ],
  [
    "a normalisation of another width",
    ShapeError,
    () =>
      feature.spatialAttention(x(), { ...filter(3, 3, 2, 1), norm: { scale: vector(2), shift: vector(2) } }),
    `spatialAttention: norm.scale must be float32 of shape [out] = [1], got float32 of shape [2]; ${LETTERS}`,
  ],
  [
    "half a pixel of dilation",
    OptionError,
    () => {
      const channel = { w1: bottleneck.w1(), w2: bottleneck.w2() };
      const spatial = {
        reduce: filter(1, 1, 7, 2),
        context: [filter(3, 3, 2, 2)],
        project: filter(1, 1, 2, 1),
      };
      return feature.bam(x(), { channel, spatial }, { dilation: 0.5 });
    },
    "bam: spatial.context[0].dilation must be an integer ≥ 1, got 0.5; choose one in that range or leave it out",
  ],
  [
    "a fusion that there is not",
    OptionError,
    () => {
      const parameters = { wk: vector(7), w1: bottleneck.w1(), w2: bottleneck.w2() };
      return feature.globalContext(x(), parameters, { fusion: "concat" } as never);
    },
    'globalContext: fusion must be "add" or "scale", got concat; choose one of them',
  ],
  [
    "no branches",
    ShapeError,
    () => feature.selectiveKernel(x(), { branches: [], w1: matrix(5, 2), w2: matrix(2, 5) }),
    "selectiveKernel: branches must hold M ≥ 1 convolutions, got M = 0; give two convolutions of different size",
  ],
  [
    "branches of different widths",
    ShapeError,
    () => {
      const branches = [filter(3, 3, 7, 5), filter(3, 3, 7, 4)];
      return feature.selectiveKernel(x(), { branches, w1: matrix(5, 2), w2: matrix(2, 10) });
    },
    `selectiveKernel: branches[1].w must be float32 of shape [height, width, in, out] = [3, 3, 7, 5], got float32 of shape [3, 3, 7, 4]; ${LETTERS}`,
  ],
  [
    "a kind that there is not",
    OptionError,
    () => feature.nonLocal(x(), { wG: matrix(7, 2), wZ: matrix(2, 7) }, { kind: "cosine" } as never),
    'nonLocal: kind must be "embeddedGaussian" or "gaussian" or "dot" or "concatenation", got cosine; choose one of them',
  ],
  [
    "a kind without its parameters",
    OptionError,
    () => feature.nonLocal(x(), { wG: matrix(7, 2), wZ: matrix(2, 7) }, { kind: "dot" }),
    'nonLocal: kind "dot" needs wTheta, got none; give it or choose another kind',
  ],
  [
    "parameters that a kind would not use",
    OptionError,
    () =>
      feature.nonLocal(
        x(),
        { wG: matrix(7, 2), wZ: matrix(2, 7), wTheta: matrix(7, 2) },
        { kind: "gaussian" },
      ),
    'nonLocal: kind "gaussian" has no wTheta, got one; leave it out or choose another kind',
  ],
  [
    "an infinite scale",
    OptionError,
    () =>
      feature.nonLocal(
        x(),
        { wG: matrix(7, 2), wZ: matrix(2, 7) },
        { kind: "gaussian", scale: Number.POSITIVE_INFINITY },
      ),
    "nonLocal: scale must be a finite number, got Infinity; choose one in that range or leave it out",
  ],
  [
    "a memory of another width than the features",
    ShapeError,
    () => feature.externalAttention(x(), { mk: matrix(11, 4), mv: matrix(11, 2) }),
    `externalAttention: mk must be float32 of shape [S, D] = [11, 7], got float32 of shape [11, 4]; ${LETTERS}`,
  ],
  [
    "an axis that there is not",
    OptionError,
    () =>
      feature.axialAttention(x(), { wq: matrix(7, 4), wk: matrix(7, 4), wv: matrix(7, 4) }, {
        axis: "rows",
      } as never),
    'axialAttention: axis must be "height" or "width", got rows; choose one of them',
  ],
  [
    "heads that do not divide the width",
    ShapeError,
    () =>
      feature.axialAttention(
        x(),
        { wq: matrix(7, 4), wk: matrix(7, 4), wv: matrix(7, 5) },
        { axis: "width", heads: 2 },
      ),
    "axialAttention: wv must have columns for all of heads=2 alike, got 5 columns; make them a multiple of heads",
  ],
  [
    "a residual of values of another width",
    ShapeError,
    () =>
      feature.crissCrossAttention(x(), {
        ...{ wq: matrix(7, 2), wk: matrix(7, 2), wv: matrix(7, 5), gamma: tf.scalar(1) },
      }),
    `crissCrossAttention: wv must be float32 of shape [C, C], with gamma, = [7, 7], got float32 of shape [7, 5]; ${LETTERS}`,
  ],
  [
    "a ratio of nothing",
    OptionError,
    () => feature.reducedWidth(16, { ratio: 0 }),
    "reducedWidth: ratio must be a positive number, got 0; choose one in that range or leave it out",
  ],
  [
    "half a channel",
    OptionError,
    () => feature.adaptiveKernelSize(0.5),
    "adaptiveKernelSize: C must be an integer ≥ 1, got 0.5; choose one in that range or leave it out",
  ],
];

it.each(refused)("mechanisms over features refuse %s", (_, type, call, message) => {
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    expect(call).toThrow(type);
    expect(call).toThrow(expect.objectContaining({ message }));
  });
  expect(tf.memory().numTensors).toBe(before);
});
