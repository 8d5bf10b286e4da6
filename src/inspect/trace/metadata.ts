import { isObject } from "../../core/is-object.ts";
import { jsonCost } from "../../core/json-cost.ts";
import { described, fault } from "./fault.ts";
import type { GlimpseSize, LayerInput } from "./trace.ts";

export const VERSION = 1;
const REMEDY =
  'write {"version": 1, "tokens": {"src": […]}, "layers": [{"alignQ": "src", "alignK": "src"}]} as JSON there';

/** What a trace's JSON says, besides its tensors. */
interface Metadata {
  readonly name?: string;
  readonly tokens: Record<string, readonly string[]>;
  /** As they were found: checked with the glimpses. */
  readonly glimpseSizes?: readonly GlimpseSize[];
  readonly layers: readonly Pick<LayerInput, (typeof LAYER_FIELDS)[number]>[];
}

/** The fields of a layer that are no tensors. */
export const LAYER_FIELDS = ["name", "alignQ", "alignK", "rowSums", "scale", "softCap", "maskSpec"] as const;

/** {"layers": [{"maskSpec": {}}]} are four; what is not read may go deeper. */
const DEEPEST = 16;

/** Reads the JSON; what its fields mean is checked with the tensors. */
export function readMetadata(op: string, text: string | undefined): Metadata {
  const place = "__metadata__.attn_trace";
  if (text === undefined) fault(op, "the file", `have ${place}`, "none, so it is no trace", REMEDY);
  // The text of a hostile file would fill the memory of the parser; the header that it comes from is bounded.
  if (jsonCost(new TextEncoder().encode(text)).depth > DEEPEST)
    fault(op, place, `nest at most ${DEEPEST} deep`, "more", REMEDY);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    fault(op, place, "be JSON", (error as Error).message.slice(0, 80), REMEDY);
  }
  if (!isObject(json)) fault(op, place, "be an object", described(json), REMEDY);
  const { version, name, tokens, layers, glimpseSizes } = json;
  if (version !== VERSION)
    fault(
      op,
      `version in ${place}`,
      `be ${VERSION}`,
      described(version),
      "read it with the heed that wrote it",
    );
  if (name !== undefined && typeof name !== "string")
    fault(op, `name in ${place}`, "be text", described(name), "correct it or leave it out");
  if (!isObject(tokens))
    fault(op, `tokens in ${place}`, "map names to lists of tokens", described(tokens), REMEDY);
  const lists: Record<string, readonly string[]> = Object.create(null);
  for (const [axis, list] of Object.entries(tokens)) {
    if (!Array.isArray(list))
      fault(
        op,
        `tokens[${JSON.stringify(axis.slice(0, 60))}]`,
        "be a list of tokens",
        described(list),
        REMEDY,
      );
    lists[axis] = list;
  }
  if (!Array.isArray(layers)) fault(op, `layers in ${place}`, "be a list", described(layers), REMEDY);
  return {
    ...(name === undefined ? {} : { name }),
    ...(glimpseSizes === undefined ? {} : { glimpseSizes: glimpseSizes as GlimpseSize[] }),
    tokens: lists,
    layers: layers.map((layer, l) => {
      if (!isObject(layer)) fault(op, `layer ${l}`, "be an object", described(layer), REMEDY);
      const known = LAYER_FIELDS.filter((field) => layer[field] !== undefined && layer[field] !== null);
      return Object.fromEntries(known.map((field) => [field, layer[field]])) as Metadata["layers"][number];
    }),
  };
}
