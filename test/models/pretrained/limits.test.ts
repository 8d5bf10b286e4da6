/** Numbers of a configuration that would fill the memory before a tensor is looked for. */
import { expect, test } from "vitest";
import { fixture, loaded } from "../transformer/fixture.ts";

test.each([
  ["gpt2", "n_layer"],
  ["llama", "num_hidden_layers"],
  ["albert", "num_hidden_layers"],
  ["t5", "num_layers"],
  ["t5", "num_decoder_layers"],
])("more layers than any model has are refused: %s with a large %s", async (name, key) => {
  const { config, state, ...rest } = fixture(name);
  const damaged = { ...rest, state, config: { ...config, [key]: 2 ** 40 } };
  await expect(loaded(damaged)).rejects.toThrow(
    "loadPretrained: a model must have at most 4096 layers, got 1099511627776; take the configuration that stands beside the weights",
  );
});
