/** What an ONNX file holds, and what is refused before one is made. */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { expect, it } from "vitest";
import { gpt2, Transformer, t5 } from "../../src/models/transformer/index.ts";
import { Graph } from "../../src/onnx/format/graph.ts";
import { exportOnnx, onnxFiles } from "../../src/onnx/index.ts";

const decoder = () =>
  new Transformer(gpt2({ layers: 2, width: 6, heads: 3, vocabulary: 13, positions: 11 }), 1);
const both = () =>
  new Transformer(
    t5({ encoderLayers: 1, decoderLayers: 1, width: 6, heads: 2, headWidth: 5, vocabulary: 13 }),
    1,
  );

/** Fields of a message by their numbers: bytes of what has a length, numbers of the rest. */
function fieldsOf(bytes: Uint8Array): Map<number, (Uint8Array | number)[]> {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, (Uint8Array | number)[]>();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const value =
      type === WireType.LengthDelimited
        ? reader.bytes()
        : type === WireType.Bit32
          ? reader.float()
          : Number(reader.int64());
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}
const text = (value: unknown) => new TextDecoder().decode(value as Uint8Array);
const names = (messages: readonly unknown[] = [], field: number) =>
  messages.map((message) => text(fieldsOf(message as Uint8Array).get(field)![0]));

it("every value of a graph is made before it is read, once, and every weight is there once", () => {
  const model = decoder();
  const file = fieldsOf(exportOnnx(model, { attention: "plain" }));
  expect([file.get(1), text(file.get(2)![0])]).toEqual([[9], "heed"]);
  expect(fieldsOf(file.get(8)![0] as Uint8Array).get(2)).toEqual([20]);
  const graph = fieldsOf(file.get(7)![0] as Uint8Array);
  const weights = names(graph.get(5), 8);
  expect(new Set(weights).size).toBe(weights.length);
  expect(weights.filter((name) => !name.startsWith("constant_")).sort()).toEqual(
    Object.keys(model.parameters.variables).sort(),
  );
  const known = new Set([...names(graph.get(11), 1), ...weights, ""]);
  for (const node of graph.get(1)!) {
    const fields = fieldsOf(node as Uint8Array);
    expect((fields.get(1) ?? []).map(text).filter((input) => !known.has(input))).toEqual([]);
    for (const output of fields.get(2)!.map(text)) {
      expect(known.has(output), output).toBe(false);
      known.add(output);
    }
  }
  expect(names(graph.get(12), 1).filter((output) => !known.has(output))).toEqual([]);
  model.dispose();
});

it("inputs and outputs have the names of Optimum", () => {
  const model = both();
  expect(onnxFiles(model)).toEqual([
    { name: "encoder_model.onnx", part: "encoder" },
    { name: "decoder_model_merged.onnx", part: "decoder" },
  ]);
  const graph = fieldsOf(fieldsOf(exportOnnx(model, { part: "decoder" })).get(7)![0] as Uint8Array);
  const cache = ["decoder.key", "decoder.value", "encoder.key", "encoder.value"];
  expect(names(graph.get(11), 1)).toEqual([
    ...["input_ids", "encoder_hidden_states", "encoder_attention_mask"],
    ...cache.map((part) => `past_key_values.0.${part}`),
    "use_cache_branch",
  ]);
  expect(names(graph.get(12), 1)).toEqual(["logits", ...cache.map((part) => `present.0.${part}`)]);
  model.dispose();
});

it("options that are not the model's are refused", () => {
  const [one, two] = [decoder(), both()];
  expect(() => exportOnnx(one, { attention: "fused" as "plain" })).toThrow(
    'exportOnnx: attention must be "operator" or "plain", got fused; choose one of them',
  );
  expect(() => exportOnnx(one, { part: "decoder" })).toThrow(
    "exportOnnx: part must name one of two, got decoder of a model of one part; leave it out",
  );
  expect(() => exportOnnx(two)).toThrow(
    'exportOnnx: of a model with encoder and decoder part must be "encoder" or "decoder", got none; export each to a file of its own',
  );
  expect(() => exportOnnx(one, { image: { patchSize: 3 } })).toThrow(
    "exportOnnx: image must have channels · patchSize² = inputWidth = none, got 27; give those of the model, or leave image out",
  );
  one.dispose();
  two.dispose();
});

it("a file that no reader takes is refused before a byte of it is there", () => {
  const graph = new Graph("large", 20);
  const values = () => {
    throw new Error("the weights were read");
  };
  graph.weight("w", [2 ** 29], values);
  expect(() => graph.toBytes()).toThrow(
    /^exportOnnx: an ONNX file with its weights must be at most 2147483647 bytes, got 21474836\d\d; export a smaller model/,
  );
});
