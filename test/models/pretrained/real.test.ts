/** Models that people have, against what PyTorch computes of them. The files are beside the project, where they are at all. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { capture } from "../../../src/capture/index.ts";
import { fileBytes } from "../../../src/checkpoints/file-bytes.ts";
import { openCheckpoint } from "../../../src/checkpoints/index.ts";
import { useHeedBackend } from "../../../src/host/select.ts";
import { layerMap } from "../../../src/inspect/index.ts";
import { loadPretrained } from "../../../src/models/index.ts";

const data = path.resolve(import.meta.dirname, "../../../../shared/data");
const json = (file: string) => JSON.parse(readFileSync(path.join(data, file), "utf8"));

interface Sentence {
  ids: number[];
  embedding: number[];
  /** By layer.head: [T][T]. */
  attention: Record<string, number[][]>;
}

test.skipIf(!existsSync(path.join(data, "all-minilm-l6-v2")))(
  "MiniLM embeds sentences as PyTorch does, and each head looks where it looks there",
  async () => {
    await useHeedBackend();
    const checkpoint = await openCheckpoint(
      await fileBytes(path.join(data, "all-minilm-l6-v2/model.safetensors")),
    );
    const model = await loadPretrained(checkpoint, json("all-minilm-l6-v2/config.json"));
    await checkpoint.close();
    for (const { ids, embedding, attention } of json("all-minilm-l6-v2/reference.json") as Sentence[]) {
      const tokens = tf.tensor2d(ids, [1, ids.length], "int32");
      let mean: ArrayLike<number> = [];
      const trace = capture(() => {
        const states = model.encode({ tokens });
        mean = tf.tidy(() => tf.mean(states, 1).dataSync());
        return states;
      }, tf.scalar(0));
      const norm = Math.hypot(...Array.from(mean));
      const cosine =
        embedding.reduce((sum, value, n) => sum + (value * mean[n]!) / norm, 0) / Math.hypot(...embedding);
      // The reference has seven digits.
      expect(cosine).toBeGreaterThan(0.999999);
      for (const [place, rows] of Object.entries(attention)) {
        const [layer, head] = place.split(".").map(Number) as [number, number];
        const map = layerMap(trace.layers[layer]!);
        for (const [t, row] of rows.entries())
          for (const [s, weight] of map.row(head, t).values.entries())
            expect(Math.abs(weight - row[s]!)).toBeLessThan(1e-5);
      }
      tokens.dispose();
    }
    model.dispose();
  },
);
