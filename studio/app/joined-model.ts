import type { Model, ModelLayer } from "../../src/elements/model.ts";

/**
 * Two documents as one model, A's layers and then B's, each with its letter: what compares heads of one model compares
 * heads of both. Maps are those of the two models.
 */
export function joinedModel(a: Model, b: Model): Model {
  return {
    layers: [
      ...a.layers.map((layer) => lettered("A", layer)),
      ...b.layers.map((layer) => lettered("B", layer)),
    ],
  };
}

function lettered(letter: string, layer: ModelLayer): ModelLayer {
  const { H, T, S, rowTokens, columnTokens, thumb } = layer;
  const name = `${letter}: ${layer.name}`;
  return {
    ...{ name, H, T, S, rowTokens, columnTokens, thumb },
    get map() {
      return layer.map;
    },
  };
}

/**
 * The head of B that stands for a head of A: the same layer and head where B has them in the same size, else the first
 * layer of that size; undefined where there is none. The layer is counted in the joined model.
 */
export function counterpart(
  a: Model,
  b: Model,
  layer: number,
  head: number,
): readonly [layer: number, head: number] | undefined {
  const { T, S } = a.layers[layer]!;
  const isAlike = (one: ModelLayer | undefined) => one?.T === T && one.S === S;
  const found = isAlike(b.layers[layer]) ? layer : b.layers.findIndex(isAlike);
  return found < 0 ? undefined : [a.layers.length + found, Math.min(head, b.layers[found]!.H - 1)];
}
