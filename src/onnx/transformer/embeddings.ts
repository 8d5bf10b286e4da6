import type { Value } from "../format/graph.ts";
import { concat, reshape, sizeOf } from "../format/operations.ts";
import { sinusoids } from "../positions.ts";
import type { Scope } from "./scope.ts";

export interface EmbeddingInputs {
  /** int64 [B, T], or the vectors [B, T, E] that stand in their place. */
  readonly tokens: Value;
  /** Kinds of segments int64 [B, T], where the model has several. */
  readonly types?: Value | undefined;
  /** int64 [1 or B, T], of a class token too. */
  readonly positions: Value;
}

/** Tokens, positions and kinds of segments as one vector each: [B, T, C]. */
export function embed(scope: Scope, { tokens, types, positions }: EmbeddingInputs): Value {
  const { graph, config } = scope;
  const { embeddingScale, embeddingWidth: E, positions: kind } = config;
  const add = (x: Value, y: Value) => graph.op("Add", [x, y]);
  let x = config.vocabulary > 0 ? graph.op("Gather", [scope.get("embedding/token"), tokens]) : tokens;
  if (config.classToken) x = withClass(scope, x);
  if (embeddingScale !== 1) x = graph.op("Mul", [x, graph.number(embeddingScale)]);
  if (kind.kind === "sinusoidal") x = add(x, sinusoids(graph, positions, E, { order: kind.order }));
  if (kind.kind === "learned") {
    const { first = 0 } = kind;
    const rows = first === 0 ? positions : graph.op("Add", [positions, graph.ints([first], [])]);
    x = add(x, graph.op("Gather", [scope.get("embedding/position"), rows]));
  }
  if (config.types > 0) {
    const ids = types ?? graph.ints([0], []);
    x = add(x, graph.op("Gather", [scope.get("embedding/type"), ids]));
  }
  x = scope.norm("embedding/norm", x);
  return scope.has("embedding/projection/weight") ? scope.map("embedding/projection", x) : x;
}

/** The learned vector before the first of each example. */
function withClass(scope: Scope, x: Value): Value {
  const { graph, config } = scope;
  const E = config.embeddingWidth;
  const one = reshape(graph, scope.get("embedding/class"), [1, 1, E]);
  const shape = concat(graph, [sizeOf(graph, x, 0), graph.ints([1, E])], 0);
  return concat(graph, [graph.op("Expand", [one, shape]), x], 1);
}
