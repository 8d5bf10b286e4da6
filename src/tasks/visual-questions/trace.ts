import { createTrace, type Trace, traceTensor } from "../../inspect/index.ts";
import { encodePng } from "../../viz/index.ts";
import type { AnsweredQuestion } from "./answerer.ts";
import type { AskedPixels } from "./draw.ts";

/** What stands before a question, and gathers the answer. */
const MARK = "[ask]";

/**
 * What a question and a picture looked at in each other, as a trace: of each layer `words n` over `cells`, and `cells n` over
 * `words` but of the last, with all heads, and the picture as the model read it.
 */
export function answerTrace({ pixels, height, width }: AskedPixels, answered: AnsweredQuestion): Trace {
  const { words, grid, layers } = answered;
  const [rows, columns] = grid;
  const S = rows * columns;
  const read = [MARK, ...words];
  const cells = Array.from({ length: S }, (_, n) => `${Math.floor(n / columns) + 1}:${(n % columns) + 1}`);
  const made = layers.flatMap((layer, n) => [
    {
      ...{ name: `words ${n}`, alignQ: "words", alignK: "cells" },
      attn: ofReadWords(layer.words, { heads: layer.heads, T: layer.T, S, read: read.length }, "rows"),
    },
    ...(layer.cells
      ? [
          {
            ...{ name: `cells ${n}`, alignQ: "cells", alignK: "words" },
            attn: ofReadWords(
              layer.cells,
              { heads: layer.heads, T: layer.T, S, read: read.length },
              "columns",
            ),
          },
        ]
      : []),
  ]);
  return createTrace({
    tokens: { words: read, cells },
    layers: made,
    image: encodePng({ height, width, channels: 1, data: pixels }),
    grid: { height: rows, width: columns, patch: height / rows, cls: 0 },
  });
}

interface Sizes {
  readonly heads: number;
  readonly T: number;
  readonly S: number;
  readonly read: number;
}

/** The weights of the words that were read, [H, read, S] or [H, S, read]; padding is left out, and had no weight as a key. */
function ofReadWords(weights: Float32Array, { heads, T, S, read }: Sizes, words: "rows" | "columns") {
  const [T1, S1] = words === "rows" ? [read, S] : [S, read];
  const width = words === "rows" ? S : T;
  const height = words === "rows" ? T : S;
  const kept = new Float32Array(heads * T1 * S1);
  for (let h = 0; h < heads; h++)
    for (let row = 0; row < T1; row++) {
      const from = (h * height + row) * width;
      kept.set(weights.subarray(from, from + S1), (h * T1 + row) * S1);
    }
  return traceTensor([heads, T1, S1], kept);
}
