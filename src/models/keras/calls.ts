/** The calls of layers in Keras 3's configurations: which tensors, and with which options. */
import { isObject } from "../../core/is-object.ts";
import { type Entry, kindOf } from "./entries.ts";
import { malformed, notComputed } from "./faults.ts";
import { isMask } from "./masks.ts";
import { STOCK_LAYERS } from "./stock-layers.ts";

/** A tensor of a model: of which call of which layer, and which output of it. */
export interface Place {
  readonly layer: string;
  readonly node: number;
  readonly output: number;
}

export interface Call {
  readonly inputs: readonly Place[];
  /** Options that are not tensors, in camelCase. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** How heed's layers are called: inputs in the order of the list that they take, and options that are fields here. */
export interface KerasCall {
  readonly inputs: readonly string[];
  readonly fields: readonly string[];
  /** How many of the inputs there must be. */
  readonly least: number;
}

/** The arguments of Keras' `call` by position. */
const POSITIONS = ["query", "value", "key", "query_mask", "value_mask", "key_mask", "attention_mask"];
const DROPPED: ReadonlySet<string> = new Set(["training"]);
const RECURRENT: ReadonlySet<string> = new Set(["LSTM", "GRU", "SimpleRNN", "Bidirectional"]);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** A place that is written as [layer, node, output]. @throws DataError FORMAT */
export function placeOf(given: unknown): Place {
  if (!Array.isArray(given) || typeof given[0] !== "string" || !isCount(given[1]) || !isCount(given[2]))
    throw malformed("a tensor must be [layer, call, output]", given);
  return { layer: given[0], node: given[1], output: given[2] };
}

/** A tensor; undefined for anything else. */
function tensorOf(given: unknown): { place: Place; rank: number } | undefined {
  if (!isObject(given) || given.class_name !== "__keras_tensor__" || !isObject(given.config))
    return undefined;
  const { shape, keras_history: history } = given.config;
  return { place: placeOf(history), rank: Array.isArray(shape) ? shape.length : -1 };
}

/** The tensors of an argument that is a tensor or a list of them; undefined for anything else. */
function tensorsOf(given: unknown): Place[] | undefined {
  const list = Array.isArray(given) ? given.map(tensorOf) : [tensorOf(given)];
  if (list.length === 0 || list.some((one) => !one)) return undefined;
  return list.map((one) => one!.place);
}

/**
 * @param masks what `masksOf` found: TensorFlow.js finds them by itself
 * @throws DataError UNSUPPORTED, FORMAT
 */
export function readCall(
  entry: Entry,
  node: unknown,
  call: KerasCall | undefined,
  masks: ReadonlySet<string>,
): Call {
  if (!isObject(node) || !Array.isArray(node.args) || !isObject(node.kwargs ?? {}))
    throw malformed(`a call of ${entry.name} must have args and kwargs`, node);
  const given = Object.entries((node.kwargs ?? {}) as Record<string, unknown>).filter(
    ([key, value]) => value !== null && value !== false && !DROPPED.has(key),
  );
  const isMasked = ([key, value]: (typeof given)[number]) => /(^|_)mask$/.test(key) && isMask(value, masks);
  const kwargs = given.filter((one) => !isMasked(one));
  // Keras hands no mask to a call with states, where TensorFlow.js does.
  if (masks.size > 0 && kwargs.some(([key]) => key === "initial_state") && !given.some(isMasked))
    throw notComputed(
      `a call of ${entry.name} with states must have its mask`,
      "none",
      "give it mask= in that call",
    );
  const refuse = (what: string, value: unknown) =>
    notComputed(
      `the call of ${entry.name} must be of tensors that ${entry.className} takes`,
      `${what}=${JSON.stringify(value)}`,
      "build the model without it",
    );
  return call
    ? keyedCall(entry, node.args, kwargs, call, refuse)
    : plainCall(entry, node.args, kwargs, refuse);
}

type Refuse = (what: string, value: unknown) => Error;
type Kwargs = readonly (readonly [string, unknown])[];

function plainCall(entry: Entry, args: readonly unknown[], kwargs: Kwargs, refuse: Refuse): Call {
  const inputs: Place[] = [];
  const isOperation = kindOf(entry) === "operation";
  for (const [at, given] of args.entries()) {
    const tensors = tensorsOf(given);
    if (!tensors && at > 0 && given === null) continue;
    // Beyond the first argument are those of an operation, and the states of a recurrent layer.
    if (!tensors || (at > 0 && !isOperation && !RECURRENT.has(entry.className)))
      throw refuse(`args[${at}]`, given);
    inputs.push(...tensors);
  }
  if (isOperation && (inputs.length !== 2 || new Set(args.map((given) => tensorOf(given)?.rank)).size > 1))
    throw refuse("args", args.length === 2 ? "tensors of different ranks" : args);
  for (const [key, value] of kwargs) {
    const tensors = tensorsOf(value);
    const isState = key === "initial_state" && RECURRENT.has(entry.className);
    const isInputs = (key === "inputs" || key === "sequences") && inputs.length === 0;
    if (!tensors || !(isState || isInputs)) throw refuse(key, value);
    inputs.push(...tensors);
  }
  if (inputs.length === 0) throw malformed(`a call of ${entry.name} must have inputs`, args);
  const takesList = isOperation || kindOf(entry) !== "layer" || STOCK_LAYERS.get(entry.className)?.takesList;
  if (inputs.length > 1 && !takesList && !RECURRENT.has(entry.className))
    throw refuse("args", `${inputs.length} tensors`);
  return { inputs, fields: {} };
}

/** A call of one of heed's layers, whose inputs have names. */
function keyedCall(
  entry: Entry,
  args: readonly unknown[],
  kwargs: Kwargs,
  call: KerasCall,
  refuse: Refuse,
): Call {
  const listed = args.length > 0 && Array.isArray(args[0]);
  const positional = listed ? [...(args[0] as unknown[]), ...args.slice(1)] : args;
  const camel = (key: string) => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const named = new Map<string, unknown>();
  for (const [at, given] of positional.entries()) {
    if (given !== null) named.set(camel(POSITIONS[at] ?? `args[${at}]`), given);
  }
  for (const [key, value] of kwargs) named.set(camel(key === "inputs" ? "query" : key), value);
  const fields: Record<string, unknown> = {};
  const given = new Map<string, Place>();
  for (const [key, value] of named) {
    const tensor = tensorOf(value);
    if (tensor && call.inputs.includes(key)) given.set(key, tensor.place);
    else if (!tensor && call.fields.includes(key)) fields[key] = value;
    else throw refuse(key, value);
  }
  // A list has no holes: what is left out before the last is what it defaults to, the input before it.
  const last = Math.max(...call.inputs.map((name, at) => (given.has(name) ? at : -1)));
  if (!given.has(call.inputs[0]!)) throw malformed(`a call of ${entry.name} must have inputs`, args);
  const inputs: Place[] = [];
  for (const name of call.inputs.slice(0, last + 1)) inputs.push(given.get(name) ?? inputs.at(-1)!);
  // One that is named twice would go through a layer of its own.
  while (inputs.length > call.least && isSame(inputs.at(-1)!, inputs.at(-2)!)) inputs.pop();
  return { inputs, fields };
}

const isSame = (a: Place, b: Place) => a.layer === b.layer && a.node === b.node && a.output === b.output;
