import { isObject } from "../../core/is-object.ts";
import { described, quoted, shown } from "../trace/fault.ts";
import type { Trace } from "../trace/trace.ts";
import { refuse } from "./fault.ts";
import { type FoundWeights, type TokenList, traceOf } from "./layers.ts";
import { flatten } from "./nested.ts";
import type { ImportOptions } from "./options.ts";

type Fields = Record<string, unknown>;

const WEIGHTS = ["attn", "attention", "attentions", "weights"];
const QUERIES = ["left_text", "query_tokens", "queries", "rowTokens"];
const KEYS = ["right_text", "key_tokens", "keys", "columnTokens"];
const LONGEST_NAME = 200;
const REMEDY =
  'save {"attention": [layers][heads][T][S], "tokens": […]}, or what BertViz writes: attn, left_text and right_text';

/**
 * A trace of JSON as BertViz has it, or simpler.
 *
 *     {"attention": [{"name": "Encoder", "attn": [layers][heads][T][S], "left_text": […], "right_text": […]}, …]}
 *     {"all": {"attn": …, "left_text": …, "right_text": …}, …}
 *     {"attention": [layers][heads][T][S], "tokens": […]}
 *     [layers][heads][T][S]
 *
 * A batch of one, [layers][1][heads][T][S], will do too. Tokens may be left out. A `mask` beside the weights, shaped as they
 * are, has 1 where a query may attend and 0 where not. What `<heed-heatmap>` saves is read too:
 *
 *     {"weights": [T][S], "mask": [T][S], "rowTokens": […], "columnTokens": […]}
 *
 * @throws DataError FORMAT
 * @example
 * fromBertViz({ attention: [[[[1, 0], [0.5, 0.5]]]], tokens: ["I", "am"] }).layers[0].H; // 1
 */
export function fromBertViz(json: unknown, options: Pick<ImportOptions, "softmax"> = {}): Trace {
  return traceOf(find(json), options);
}

/** The sets of layers, each with its tokens. Sets within sets are none: what is not numbers there is refused. */
function find(json: unknown): FoundWeights[] {
  if (isSets(json)) return json.map((part, n) => read(`entry ${n}`, undefined, part, {}));
  if (Array.isArray(json)) return [flatten("the weights", json)];
  if (!isObject(json)) return refuse("the JSON", "be a list or an object", described(json), REMEDY);
  const field = weightsField(json);
  if (field !== undefined) {
    const nested = json[field];
    if (isSets(nested)) return nested.map((part, n) => read(`entry ${n}`, undefined, part, json));
    return [read("the weights", undefined, json, {})];
  }
  const named = Object.entries(json).filter(([, part]) => isObject(part) && weightsField(part) !== undefined);
  if (named.length > 0) return named.map(([name, part]) => read(quoted(name), name, part as Fields, json));
  const got = Object.keys(json).slice(0, 8).map(quoted).join(", ") || "nothing";
  return refuse("the JSON", `have ${WEIGHTS.join(" or ")}`, got, REMEDY);
}

const isSets = (x: unknown): x is Fields[] => Array.isArray(x) && x.length > 0 && x.every(isObject);
const weightsField = (part: Fields) => WEIGHTS.find((name) => part[name] !== undefined);

/** One set of layers with its tokens; `outer` may hold them for all. */
function read(place: string, key: string | undefined, part: Fields, outer: Fields): FoundWeights {
  const name = typeof part.name === "string" ? part.name : key;
  const common = list(place, ["tokens"], part, outer);
  const weights = flatten(place, part[weightsField(part) ?? WEIGHTS[0]!]);
  return {
    ...weights,
    mask: part.mask === undefined ? undefined : maskOf(`the mask of ${place}`, part.mask, weights.shape),
    name: name?.slice(0, LONGEST_NAME),
    queries: list(place, QUERIES, part, outer) ?? common,
    keys: list(place, KEYS, part, outer) ?? common,
  };
}

function maskOf(place: string, nested: unknown, like: readonly number[]): Uint8Array {
  const { shape, values } = flatten(place, nested);
  if (`${shape}` !== `${like}`) refuse(place, `be shaped as they are, ${shown(like)}`, shown(shape), REMEDY);
  const odd = values.find((value) => value !== 0 && value !== 1);
  if (odd !== undefined) refuse(place, "hold 0 and 1 alone", `${odd}`, REMEDY);
  return Uint8Array.from(values);
}

function list(place: string, names: readonly string[], part: Fields, outer: Fields): TokenList | undefined {
  for (const name of names) {
    const tokens = part[name] ?? outer[name];
    if (tokens === undefined || tokens === null) continue;
    if (!Array.isArray(tokens))
      refuse(`${name} of ${place}`, "be a list of tokens", described(tokens), REMEDY);
    const wrong = tokens.find((token) => typeof token !== "string");
    if (wrong !== undefined) refuse(`${name} of ${place}`, "hold text", described(wrong), REMEDY);
    return { name: names === QUERIES ? "queries" : names === KEYS ? "keys" : "tokens", tokens };
  }
  return undefined;
}
