import { serialization } from "@tensorflow/tfjs-core";
import { constraints, type initializers, regularizers } from "@tensorflow/tfjs-layers";

// TensorFlow.js publishes these classes through what its functions return alone. Interfaces give them a name of our own:
// without one, declarations would name a file of TensorFlow.js that ESM resolution does not find, and be `any`.
type AnInitializer = ReturnType<typeof initializers.zeros>;
type ARegularizer = ReturnType<typeof regularizers.l2>;
type AConstraint = ReturnType<typeof constraints.nonNeg>;

/** What `tf.initializers` make. */
export interface Initializer extends AnInitializer {}
/** What `tf.regularizers` make. */
export interface Regularizer extends ARegularizer {}
/** What `tf.constraints` make. */
export interface Constraint extends AConstraint {}

/** An initialiser and the like as a saved model has it: Keras' names, or TensorFlow.js'. */
export interface ObjectConfig {
  readonly className?: string;
  readonly class_name?: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Keras', and TensorFlow.js'. */
const DEFAULT_RATE = 0.01;
/** How the three kinds of objects are named, beside the names of their classes. */
const SHORT_NAMES: Record<string, () => serialization.Serializable> = {
  l1: () => regularizers.l1({ l1: DEFAULT_RATE }),
  l2: () => regularizers.l2({ l2: DEFAULT_RATE }),
  l1l2: () => regularizers.l1l2(),
  nonNeg: () => constraints.nonNeg(),
};

/** `use_bias` as `useBias`. */
export function camelCase(key: string): string {
  return key.replace(/_+(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** A configuration with camelCase keys, those of objects within it too; names and other values stay as they are. */
export function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [camelCase(key), camelKeys(entry)]));
}

function isSerializable(value: unknown): value is serialization.Serializable {
  return value instanceof serialization.Serializable;
}

/**
 * The initialiser, regulariser or constraint that a name, an instance or a saved configuration means; undefined when it
 * means none.
 */
export function restore<T extends serialization.Serializable>(given: unknown): T | undefined {
  const object = isSerializable(given) ? given : fromConfig(given);
  return object && "apply" in object ? (object as T) : undefined;
}

function fromConfig(given: unknown): serialization.Serializable | undefined {
  const saved: ObjectConfig =
    typeof given === "string" ? { className: given } : ((given ?? {}) as ObjectConfig);
  const name = saved.className ?? saved.class_name;
  if (typeof name !== "string") return undefined;
  const camel = camelCase(name);
  if (typeof given === "string" && SHORT_NAMES[camel]) return SHORT_NAMES[camel]();
  const { classNameMap } = serialization.SerializationMap.getMap();
  const [type, make] = classNameMap[camel] ?? classNameMap[camel[0]?.toUpperCase() + camel.slice(1)] ?? [];
  return type && make?.(type, (saved.config ?? {}) as serialization.ConfigDict);
}

/** What `restore` reads. */
export function save(object: serialization.Serializable): serialization.ConfigDict {
  return { className: object.getClassName(), config: object.getConfig() };
}

/** The initialiser with this seed, unless it has one of its own, or draws nothing. */
export function seeded(initializer: Initializer, seed: number): Initializer {
  const config = initializer.getConfig();
  if (!("seed" in config) || (config.seed ?? undefined) !== undefined) return initializer;
  return restore({ className: initializer.getClassName(), config: { ...config, seed } })!;
}
