import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { fileBytes } from "../../src/checkpoints/file-bytes.ts";
import { openCheckpoint } from "../../src/checkpoints/index.ts";

const data = path.resolve(import.meta.dirname, "../../../shared/data");
const [minilm, rxnmapper] = ["all-minilm-l6-v2/model.safetensors", "rxnmapper/pytorch_model.bin"].map(
  (name) => path.join(data, name),
) as [string, string];

test.skipIf(!existsSync(rxnmapper))(
  "RXNMapper's weights, in PyTorch's format from before 1.6, are read",
  async () => {
    const checkpoint = await openCheckpoint(await fileBytes(rxnmapper));
    expect(checkpoint.format).toBe("pytorch");
    const {
      hidden_size: C,
      vocab_size: V,
      embedding_size: E,
    } = JSON.parse(readFileSync(path.join(path.dirname(rxnmapper), "config.json"), "utf8"));
    expect(checkpoint.tensors.get("albert.embeddings.word_embeddings.weight")?.shape).toEqual([V, E]);
    expect(checkpoint.tensors.get("albert.encoder.embedding_hidden_mapping_in.weight")?.shape).toEqual([
      C,
      E,
    ]);
    for (const [name] of checkpoint.tensors) {
      const values = await checkpoint.read(name);
      expect([name, values.every((value) => Math.abs(value) < 1e3)]).toEqual([name, true]);
    }
    await checkpoint.close();
  },
);

test.skipIf(!existsSync(minilm))("a tensor of MiniLM's 91 MB is read without the others", async () => {
  const source = await fileBytes(minilm);
  let most = 0;
  const read: typeof source.read = (offset, length) => {
    most += length;
    return source.read(offset, length);
  };
  const checkpoint = await openCheckpoint({ ...source, read });
  const values = await checkpoint.read("encoder.layer.5.attention.self.query.weight");
  expect(values).toHaveLength(384 * 384);
  expect(most).toBeLessThan(384 * 384 * 4 + 20_000);
  await checkpoint.close();
});
