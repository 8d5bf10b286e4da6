import type { Tensor } from "@tensorflow/tfjs-core";
import { checkCount } from "../core/check-options.ts";
import {
  createTrace,
  type ImageGrid,
  layerMap,
  type Trace,
  type TraceTensor,
  thumbnails,
} from "../inspect/index.ts";
import { tidyData } from "../ops/tidy.ts";
import { nameAxes, type TokenLists } from "./axes.ts";
import { Observer } from "./observer.ts";
import { refusal } from "./refuse.ts";
import { checkedNorms } from "./value-norms.ts";
import { weightGradients } from "./weight-gradients.ts";

/** A function of tensors, a layer, or a model, of heed or of TensorFlow.js. */
export type Capturable<I, O = unknown> =
  | ((input: I) => O)
  | { apply(input: I, keywords?: { training: boolean }): O }
  | { predict(input: I, options?: { batchSize: number }): O };

export interface CaptureOptions<O = unknown> {
  /** The trace's name. @default none */
  readonly name?: string;
  /** Named lists of tokens; a call's queries and keys take the first one of their length. @default "0", "1" and so on */
  readonly tokens?: TokenLists;
  /** The example of the batch that is kept. @default 0 */
  readonly example?: number;
  /** The bytes of a PNG of what was attended to. @default what the first glimpse is of, where its values are from 0 to 1 */
  readonly image?: Uint8Array;
  /** Where the image's patches lie. @default none */
  readonly grid?: ImageGrid;
  /**
   * Keeps a small picture of each head, so that who opens the trace sees the grid of all heads at once; costs a pass over the
   * visible weights of each. @default false
   */
  readonly thumbnails?: boolean;
  /**
   * One number of what the target returns, such as the score of a class: the trace then has its gradient by the weights of
   * each call, `grad`, for `gradientRelevance` and the view rollout through gradients. Runs the target once more, and takes
   * arrays as large as the weights. @default none
   */
  readonly gradientOf?: (output: O) => Tensor;
  /**
   * Keeps the length of each key's value, before an output projection, `vnorm`: what a weight brings is the weight times it, as
   * `valueNormMap` and `valueNorms` of heed/views show. @default false
   */
  readonly valueNorms?: boolean;
  /** Looks at every number that is kept, as `createTrace` does. @default true */
  readonly values?: boolean;
}

const MOST_BATCH = 1_000_000;

/**
 * A trace of every call of attention that a layer, a model or a function makes, in the order of the calls.
 *
 *     capture(target, input) = { layer n: q, k, lse, mask of call n;  gate "op n name": [C], [T, C] or [height, width];
 *                                glimpse n: (u, d, s) of rows and columns [6] or θ [2, 3] }
 *
 * A call of the fused attention (`attention`, `softAttention`, `MultiHeadAttention`, `attend` with a dot product, …) is
 * kept as q, k and the log-sum-exp of its rows, from which `layerMap` recomputes any weight: no T × S buffer is made, for
 * 16,384 tokens as for 16. Causality, windows, offsets and lengths are kept as they are said; `allow` and `bias` as
 * tensors of their own size. Calls with a score or a normaliser of another kind are kept as weights [H, T, S].
 * Gates over features (`sigmoidGate`, `squeezeExcitation`, `cbam`, …) are kept as they were applied, [H·W, C] where
 * each pixel and channel has its own. Glimpses (`gaussianGlimpse`, `drawRead`, `hardCrop`, `spatialTransformer`) are kept
 * with their size; a hard crop as the Gaussian one of stride 1 and deviation 0.001, θ with aligned corners.
 * Runs without training, so dropout drops nothing; a function decides for itself. Tensors that the target returns are
 * disposed. It must be done when it returns: a promise is refused. Outside a capture calls pay nothing for the hook.
 * With `gradientOf` also the gradients of one number by the weights: ∂y/∂α_ts = ∂y/∂o_t · v_s, o the call's output.
 * Cost: one call of the target, and a copy of one example's q, k and lse to ordinary memory.
 *
 * @throws OptionError UNSUPPORTED, when there was nothing to capture · OPTION · DataError FORMAT, for NaN in q or k
 * @example
 * const trace = capture((x) => softAttention(x, k, v, { causal: "bottomRight" }), q);
 * layerMap(trace.layers[0]).row(0, 0).kinds.length; // 5
 */
export function capture<I, O>(target: (input: I) => O, input: I, options?: CaptureOptions<O>): Trace;
export function capture<I, O>(target: Capturable<I, O>, input: I, options?: CaptureOptions<O>): Trace;
export function capture<I, O>(target: Capturable<I, O>, input: I, options: CaptureOptions<O> = {}): Trace {
  const op = "capture";
  const {
    example = 0,
    tokens = {},
    name,
    grid,
    gradientOf,
    thumbnails: small = false,
    values = true,
  } = options;
  checkCount(op, "example", example, 0);
  const observed = new Observer(op, example, options.valueNorms ?? false);
  tidyData(() => {
    const result = observed.during(() => run(target, input));
    if (!isPromise(result)) return;
    const remedy = "await inside first, and capture the part that calls attention";
    throw refusal(op, "the target", "be done when it returns", "a promise", remedy);
  });
  if (observed.isEmpty) {
    const remedy = "capture what calls heed's attention, gates or glimpses, with heed's layers or functions";
    throw refusal(op, "the target", "call attention, a gate or a glimpse", "no call", remedy);
  }
  const axes = nameAxes(tokens);
  const { calls, gates, glimpses } = observed;
  const layers = calls.map(({ op: called, T, S, ...kept }, n) => ({
    name: `${called} ${n}`,
    alignQ: axes.nameFor(T),
    alignK: axes.nameFor(S),
    ...kept,
  }));
  const image = options.image ?? observed.image;
  const given = { ...(name !== undefined && { name }), ...(image && { image }), ...(grid && { grid }) };
  const seen = glimpses.length > 0 && {
    glimpses: glimpses.map(({ glimpse }) => glimpse),
    glimpseSizes: glimpses.map(({ size }) => size),
  };
  const parts = { ...given, ...seen, tokens: axes.tokens(), layers, gates: Object.fromEntries(gates) };
  const trace = createTrace(parts, { values });
  const gradients =
    gradientOf &&
    weightGradients(op, () => gradientOf(run(target, input)), trace.layers, observed.outputs, example);
  return {
    ...trace,
    layers: trace.layers.map((layer, n) => ({
      ...layer,
      ...(gradients && { grad: gradients[n]! }),
      ...(options.valueNorms && withNorms(checkedNorms(op, layer, observed.norms[n]!))),
      ...(small && { thumb: thumbnails(layerMap(layer)) }),
    })),
  };
}

/** Where there are no keys, the values tell how heads are grouped. */
const withNorms = (vnorm: TraceTensor) => ({ vnorm, Hkv: vnorm.shape[0]! });

function run<I, O>(target: Capturable<I, O>, input: I): O {
  if (typeof target === "function") return target(input);
  return "predict" in target
    ? target.predict(input, { batchSize: MOST_BATCH })
    : target.apply(input, { training: false });
}

const isPromise = (value: unknown): boolean =>
  typeof (value as { then?: unknown } | undefined | null)?.then === "function";
