import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import { RandomStream } from "../../../src/core/random.ts";
import { END, UNKNOWN } from "../../../src/data/bpe.ts";
import {
  PointerGenerator,
  type PointerGeneratorConfig,
  pointerGeneratorParameters,
} from "../../../src/models/index.ts";

/** Every size its own: V=11, E=5, encoder 3, D=7, A=2. */
export function tinyConfig(changes: Partial<PointerGeneratorConfig> = {}): PointerGeneratorConfig {
  return {
    vocabulary: 11,
    embedding: 5,
    encoder: 3,
    decoder: 7,
    attention: 2,
    cell: "gru",
    pointer: true,
    coverage: true,
    inputFeeding: true,
    dropout: 0,
    ...changes,
  };
}

/** A model whose every parameter is far enough from zero for its effect to be seen. */
export function tinyPointer(
  changes: Partial<PointerGeneratorConfig> = {},
  seed = 1,
  deviation = 0.6,
): PointerGenerator {
  const config = tinyConfig(changes);
  const values = Object.entries(pointerGeneratorParameters(config)).map(([name, { shape }], stream) => {
    const size = shape.reduce((n, m) => n * m, 1);
    return [name, new RandomStream(seed, stream).fillNormal(new Float32Array(size), 0, deviation)] as const;
  });
  return new PointerGenerator(config, Object.fromEntries(values));
}

/** From 11 on a source's own words; the first has one of them twice. */
export const SOURCES = [[4, 11, 5, 12, 11], [6], [8, 11, 4, 9]];
/** Copied and written words, one that neither side has, and a word of the source that the vocabulary has too. */
export const TARGETS = [
  [11, 7, 12, END],
  [UNKNOWN, 6, END],
  [4, 11, 11, 10, END],
];
