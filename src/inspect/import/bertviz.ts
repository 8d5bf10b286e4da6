import { described, quoted } from "../trace/fault.ts";
import type { Trace } from "../trace/trace.ts";
import { refuse } from "./fault.ts";
import { type FoundWeights, type TokenList, traceOf } from "./layers.ts";
import { flatten } from "./nested.ts";

type Fields = Record<string, unknown>;
const isObject = (x: unknown): x is Fields => typeof x === "object" && x !== null && !Array.isArray(x);

const WEIGHTS = ["attn", "attention", "attentions", "weights"];
const QUERIES = ["left_text", "query_tokens", "queries", "rowTokens"];
const KEYS = ["right_text", "key_tokens", "keys", "columnTokens"];
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
 * A batch of one, [layers][1][heads][T][S], will do too. Tokens may be left out.
 *
 * @throws DataError IMPORT
 * @example
 * fromBertViz({ attention: [[[[1, 0], [0.5, 0.5]]]], tokens: ["I", "am"] }).layers[0].H; // 1
 */
export function fromBertViz(json: unknown): Trace {
  return traceOf(
    Array.isArray(json) && !json.every(isObject) ? [weightsOf("the weights", json)] : find(json),
  );
}

function find(json: unknown): FoundWeights[] {
  if (Array.isArray(json)) return json.flatMap((part, n) => entry(`entry ${n}`, part, {}));
  if (!isObject(json)) return refuse("the JSON", "be a list or an object", described(json), REMEDY);
  if (WEIGHTS.some((name) => json[name] !== undefined)) return entry("the weights", json, {});
  const named = Object.entries(json).filter(([, part]) => isObject(part) && "attn" in part);
  if (named.length > 0) return named.flatMap(([name, part]) => entry(quoted(name), part, json));
  return refuse(
    "the JSON",
    `have ${WEIGHTS.join(" or ")}`,
    Object.keys(json).slice(0, 8).map(quoted).join(", ") || "nothing",
    REMEDY,
  );
}

/** One set of layers with its tokens; `outer` may hold them for all. */
function entry(place: string, part: unknown, outer: Fields): FoundWeights[] {
  if (!isObject(part)) return refuse(place, "be an object", described(part), REMEDY);
  const field = WEIGHTS.find((name) => part[name] !== undefined);
  const nested = field === undefined ? undefined : part[field];
  if (Array.isArray(nested) && nested.length > 0 && nested.every(isObject))
    return nested.flatMap((inner, n) => entry(`entry ${n}`, inner, part));
  const name = typeof part.name === "string" ? part.name.slice(0, 200) : undefined;
  const title = name ?? (place.startsWith('"') ? place.slice(1, -1) : undefined);
  const common = list(place, ["tokens"], part, outer);
  return [
    {
      ...weightsOf(title ?? place, nested),
      name: title,
      queries: list(place, QUERIES, part, outer) ?? common,
      keys: list(place, KEYS, part, outer) ?? common,
    },
  ];
}

const weightsOf = (place: string, nested: unknown) => flatten(place, nested);

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
