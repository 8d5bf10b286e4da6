/**
 * The layers that Keras 3 and TensorFlow.js both have, with what of their configurations means the same in both. TensorFlow.js
 * ignores a key that it does not know, and computes something else: whatever is not listed here has to say nothing.
 */

/** How a layer is written in both. */
export interface StockLayer {
  /** Keys, as Keras writes them. */
  readonly takes: readonly string[];
  /** Keys that have another name in TensorFlow.js. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Values that a key may have; of other values TensorFlow.js makes something else. */
  readonly only?: Readonly<Record<string, readonly unknown[]>>;
  /** Layers are given one input each, or a list. @default false */
  readonly takesList?: boolean;
}

const words = (text: string) => text.split(" ");
const weights = (...kinds: string[]) =>
  kinds.flatMap((kind) => [`${kind}_initializer`, `${kind}_regularizer`, `${kind}_constraint`]);
const layer = (keys: string, ...kinds: string[]): StockLayer => ({
  takes: [...(keys ? words(keys) : []), ...weights(...kinds)],
});

/** What TensorFlow.js has of convolutions: neither groups nor "causal" padding. */
const PLAIN = { padding: ["valid", "same"], groups: [1] };
const CONVOLUTION = "kernel_size strides padding data_format dilation_rate activation use_bias";
const POOLING = "pool_size strides padding data_format";
const RECURRENT =
  `units activation use_bias dropout recurrent_dropout return_sequences return_state go_backwards stateful
  unroll`.replace(/\s+/g, " ");
const RNN_WEIGHTS = ["kernel", "recurrent", "bias"];

const convolution = (): StockLayer => ({ ...layer(`filters ${CONVOLUTION}`, "kernel", "bias"), only: PLAIN });
const merge = (keys = ""): StockLayer => ({ ...layer(keys), takesList: true });
const pool = (): StockLayer => layer(POOLING);
const pooledWhole = (): StockLayer => layer("data_format");

export const STOCK_LAYERS: ReadonlyMap<string, StockLayer> = new Map(
  Object.entries<StockLayer>({
    Activation: layer("activation"),
    Add: merge(),
    AlphaDropout: layer("rate"),
    Average: merge(),
    AveragePooling1D: pool(),
    AveragePooling2D: pool(),
    AveragePooling3D: pool(),
    BatchNormalization: layer(
      "axis momentum epsilon center scale moving_mean_initializer moving_variance_initializer",
      "beta",
      "gamma",
    ),
    Bidirectional: layer("merge_mode"),
    Concatenate: merge("axis"),
    Conv1D: convolution(),
    Conv2D: convolution(),
    Conv2DTranspose: {
      ...layer("filters kernel_size strides padding data_format activation use_bias", "kernel", "bias"),
      only: { ...PLAIN, dilation_rate: [[1, 1]] },
    },
    Conv3D: convolution(),
    Cropping2D: layer("cropping data_format"),
    Dense: layer("units activation use_bias", "kernel", "bias"),
    DepthwiseConv2D: { ...layer(`depth_multiplier ${CONVOLUTION}`, "depthwise", "bias"), only: PLAIN },
    Dot: merge("axes normalize"),
    Dropout: layer("rate"),
    ELU: { ...layer("alpha"), only: { alpha: [1] } },
    Embedding: layer("input_dim output_dim mask_zero", "embeddings"),
    Flatten: layer("data_format"),
    GRU: layer(`${RECURRENT} recurrent_activation reset_after`, ...RNN_WEIGHTS),
    GaussianDropout: layer("rate"),
    GaussianNoise: layer("stddev"),
    GlobalAveragePooling1D: pooledWhole(),
    GlobalAveragePooling2D: pooledWhole(),
    GlobalMaxPooling1D: pooledWhole(),
    GlobalMaxPooling2D: pooledWhole(),
    LSTM: layer(`${RECURRENT} recurrent_activation unit_forget_bias`, ...RNN_WEIGHTS),
    LeakyReLU: { ...layer("negative_slope"), renamed: { negative_slope: "alpha" } },
    Masking: layer("mask_value"),
    MaxPooling1D: pool(),
    MaxPooling2D: pool(),
    MaxPooling3D: pool(),
    Maximum: merge(),
    Minimum: merge(),
    Multiply: merge(),
    PReLU: layer("shared_axes", "alpha"),
    Permute: layer("dims"),
    ReLU: { ...layer("max_value"), only: { negative_slope: [0], threshold: [0] } },
    RepeatVector: layer("n"),
    Rescaling: layer("scale offset"),
    Reshape: layer("target_shape"),
    SeparableConv2D: {
      ...layer(`filters depth_multiplier ${CONVOLUTION}`, "depthwise", "pointwise", "bias"),
      only: PLAIN,
    },
    SimpleRNN: layer(RECURRENT, ...RNN_WEIGHTS),
    Softmax: layer("axis"),
    SpatialDropout1D: layer("rate"),
    TimeDistributed: layer(""),
    UpSampling2D: {
      ...layer("size data_format interpolation"),
      only: { interpolation: ["nearest", "bilinear"] },
    },
    ZeroPadding2D: layer("padding data_format"),
  }),
);

/** Keys that say nothing of what a layer computes. */
export const SILENT_KEYS: ReadonlySet<string> = new Set(["name", "trainable", "dtype", "seed"]);

/** heed's layers that Keras 3 has too. */
export const SHARED_LAYERS: readonly string[] = [
  "AdditiveAttention",
  "Attention",
  "GroupQueryAttention",
  "LayerNormalization",
  "MultiHeadAttention",
  "RMSNormalization",
];

/** Operations of `keras.ops` that Keras writes for `a + b`, as the layers that they are. */
export const OPERATIONS: ReadonlySet<string> = new Set(["Add", "Maximum", "Minimum", "Multiply"]);

/** Operations that Keras writes for the masks of layers. */
export const MASK_OPERATIONS: ReadonlySet<string> = new Set(["Any", "NotEqual"]);

/** heed's class for a `GRU` that resets after the product. */
export const RESET_AFTER = "ResetAfterGRU";
/** What it computes; it takes no other values. */
export const RESET_AFTER_ONLY: Readonly<Record<string, unknown>> = {
  activation: "tanh",
  recurrentActivation: "sigmoid",
  dropout: 0,
  recurrentDropout: 0,
};
