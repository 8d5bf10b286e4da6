/** What stands in the configuration of a layer: types of numbers, activations, initialisers, regularisers, constraints. */
import { isObject } from "../../core/is-object.ts";
import { malformed, notComputed, notWritten } from "./faults.ts";

type Config = Readonly<Record<string, unknown>>;

/** Keras' activations that mean the same in TensorFlow.js, whose `hardSigmoid` is another function. */
const ACTIVATIONS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    elu: "elu",
    gelu: "gelu",
    linear: "linear",
    log_softmax: "logSoftmax",
    mish: "mish",
    relu: "relu",
    relu6: "relu6",
    selu: "selu",
    sigmoid: "sigmoid",
    silu: "swish",
    softmax: "softmax",
    softplus: "softplus",
    softsign: "softsign",
    swish: "swish",
    tanh: "tanh",
  }),
);

/** @throws DataError UNSUPPORTED */
export function readActivation(given: unknown): string {
  const name = given ?? "linear";
  const known = typeof name === "string" ? ACTIVATIONS.get(name) : undefined;
  if (known) return known;
  const got = isObject(name) && typeof name.config === "string" ? name.config : name;
  const rule = `an activation must be one of ${[...ACTIVATIONS.keys()].join(", ")}`;
  throw notComputed(rule, got, "choose one of these; functions of Python are not run");
}

/** @throws OptionError UNSUPPORTED */
export function writeActivation(name: string): string {
  const [known] = [...ACTIVATIONS].find(([, ours]) => ours === name) ?? [];
  if (known) return known;
  const names = [...ACTIVATIONS.values()].join(", ");
  const remedy = name === "hardSigmoid" ? 'Keras 3 has another; use "sigmoid"' : "choose one of these";
  throw notWritten(`an activation must be one of ${names}`, name, remedy);
}

const TYPES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ float16: "float32", bfloat16: "float32", float32: "float32", float64: "float32" },
    ...{ mixed_float16: "float32", mixed_bfloat16: "float32" },
    ...{ int8: "int32", uint8: "int32", int16: "int32", uint16: "int32", int32: "int32", int64: "int32" },
    bool: "bool",
  }),
);

/**
 * The type of numbers here for a type or policy there: mixed and half precision are computed in float32.
 *
 * @throws DataError UNSUPPORTED, for quantised layers
 */
export function readType(given: unknown): string {
  const policy = isObject(given) && isObject(given.config) ? given.config.name : given;
  const known = TYPES.get(String(policy ?? "float32"));
  const isPlain = !isObject(given) || given.class_name === "DTypePolicy";
  if (known && isPlain) return known;
  const got = known ? (given as Config).class_name : policy;
  throw notComputed(
    `a dtype must be one of ${[...TYPES.keys()].join(", ")}`,
    got,
    "save the model in one of these",
  );
}

/** Classes by their names in Keras, where TensorFlow.js has another. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ["LecunNormal", "LeCunNormal"],
  ["LecunUniform", "LeCunUniform"],
  ["OrthogonalInitializer", "Orthogonal"],
  ["L1", "L1L2"],
  ["L2", "L1L2"],
]);

const INITIALIZERS = new Set(
  `Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform Ones Orthogonal
  OrthogonalInitializer RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros`.split(/\s+/),
);
const REGULARIZERS = new Set(["L1", "L1L2", "L2"]);
const CONSTRAINTS = new Set(["MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"]);

/** An initialiser, regulariser or constraint with camelCase keys; null where there is none. @throws DataError */
export function readObject(key: string, given: unknown, camel: (config: Config) => unknown): unknown {
  if (given === null || given === undefined) return null;
  if (!isObject(given) || typeof given.class_name !== "string" || !isObject(given.config))
    throw malformed(`${key} must have class_name and config`, given);
  const { class_name: name, config } = given;
  if (key.endsWith("_initializer")) {
    // Weights come from the file, so that how they began says nothing.
    const known = INITIALIZERS.has(name) ? name : "Zeros";
    const { seed, ...rest } = config;
    const whole = Number.isSafeInteger(seed) ? { seed } : {};
    return {
      className: RENAMED.get(known) ?? known,
      config: known === name ? camel({ ...rest, ...whole }) : {},
    };
  }
  const known = key.endsWith("_regularizer") ? REGULARIZERS : CONSTRAINTS;
  if (!known.has(name))
    throw notComputed(
      `${key} must be one of ${[...known].join(", ")}`,
      name,
      "leave it out when the model is made",
    );
  const none = known === REGULARIZERS ? { l1: 0, l2: 0 } : {};
  return { className: RENAMED.get(name) ?? name, config: camel({ ...none, ...config }) };
}

const MODULES = {
  _initializer: "keras.initializers",
  _regularizer: "keras.regularizers",
  _constraint: "keras.constraints",
};
/** What the constructors of Keras take of each. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  Constant: ["value"],
  Identity: ["gain"],
  L1L2: ["l1", "l2"],
  MaxNorm: ["max_value", "axis"],
  MinMaxNorm: ["min_value", "max_value", "rate", "axis"],
  NonNeg: [],
  Ones: [],
  Orthogonal: ["gain", "seed"],
  RandomNormal: ["mean", "stddev", "seed"],
  RandomUniform: ["minval", "maxval", "seed"],
  TruncatedNormal: ["mean", "stddev", "seed"],
  UnitNorm: ["axis"],
  VarianceScaling: ["scale", "mode", "distribution", "seed"],
  Zeros: [],
};

/** What Keras 3 reads of an initialiser, regulariser or constraint with snake_case keys. @throws OptionError UNSUPPORTED */
export function writeObject(key: string, given: unknown): unknown {
  if (given === null || given === undefined) return null;
  const { class_name: name, config } = given as { class_name: string; config: Config };
  const keys = Object.hasOwn(KEYS, name) ? KEYS[name]! : undefined;
  if (!keys)
    throw notWritten(`${key} must be one of ${Object.keys(KEYS).join(", ")}`, name, "choose one of these");
  const kept = Object.fromEntries(keys.filter((one) => one in config).map((one) => [one, config[one]]));
  // A normal distribution is cut off in TensorFlow.js.
  if (kept.distribution === "normal") kept.distribution = "truncated_normal";
  const [, module] = Object.entries(MODULES).find(([end]) => key.endsWith(end))!;
  return { module, class_name: name, config: kept, registered_name: null };
}
