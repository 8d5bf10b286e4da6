import { Buffer } from "node:buffer";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import { expect, it } from "vitest";
import { patchTopology } from "../../src/host/keras-models.ts";
import { Attention, LayerNormalization, MultiHeadAttention } from "../../src/layers/index.ts";
import { distance, onEveryBackend } from "../attention/support.ts";
import { type FixtureArray, fixture, OUTPUTS, toTensor } from "./fixture.ts";
import { reloaded } from "./harness.ts";

type Reference = [string, number, number, Record<string, unknown>];
interface Keras2Model {
  "model.json": tf.io.ModelJSON & {
    modelTopology: {
      model_config: { config: { layers: { name: string; inbound_nodes: Reference[][] }[] } };
    };
  };
  "group1-shard1of1.bin": string;
  inputs: FixtureArray[];
  outputs: FixtureArray[];
}

const read = () => fixture<Keras2Model>("keras2-model");

function load(model: Keras2Model) {
  const bytes = Buffer.from(model["group1-shard1of1.bin"], "base64");
  return loadLayersModel({
    load: () =>
      tf.io.getModelArtifactsForJSON(model["model.json"], async (manifest) => [
        manifest.flatMap(({ weights }) => weights),
        Uint8Array.from(bytes).buffer,
      ]),
  });
}

onEveryBackend("A model that Keras 2 saved", () => {
  it("loads and computes what it did there: cross attention, causal masks, attention masks and scores", async () => {
    const given = read();
    const model = await load(given);
    const classes = model.layers.map((layer) => layer.constructor);
    expect(classes).toEqual(expect.arrayContaining([MultiHeadAttention, LayerNormalization, Attention]));
    const [target, source, allowed] = given.inputs as [FixtureArray, FixtureArray, FixtureArray];
    const inputs = [toTensor(target), toTensor(source), toTensor(allowed, "bool")];
    const check = (outputs: tf.Tensor[]) => {
      expect(outputs.map(({ shape }) => shape)).toEqual(given.outputs.map(({ shape }) => shape));
      for (const [at, { values }] of given.outputs.entries()) {
        expect(distance(outputs[at]!.dataSync(), values), `output ${at}`).toBeLessThanOrEqual(OUTPUTS);
      }
    };
    check(model.predict(inputs) as tf.Tensor[]);
    check((await reloaded(model)).predict(inputs) as tf.Tensor[]);
  });

  it("names in the error the option of a call that TensorFlow.js cannot repeat", async () => {
    const given = read();
    const layer = given["model.json"].modelTopology.model_config.config.layers.find(
      ({ name }) => name === "cross_attention",
    )!;
    layer.inbound_nodes[0]![0]![3].query_mask = ["input_3", 0, 0];
    await expect(load(given)).rejects.toThrow(
      "loadLayersModel: the call of cross_attention must be of query, value, key, attentionMask, useCausalMask, " +
        'returnAttentionScores, got queryMask=["input3",0,0]; build that model without it',
    );
  });

  it("finds an input whose name TensorFlow.js has changed, and says when two could be meant", async () => {
    const call = { inputs: ["query", "value", "key", "mask"], fields: ["useCausalMask"] };
    const mha = (...inboundNodes: unknown[]) => ({ name: "a", className: "A", config: {}, inboundNodes });
    const inputs = [{ name: "input_1" }, { name: "input_2" }];
    const mend = (...layers: unknown[]) =>
      patchTopology({ layers } as never, (name) => (name === "A" ? call : undefined)).layers as unknown[];
    const node = (kwargs: object) => [["input_1", 0, 0, kwargs]];
    expect(mend(...inputs, mha(node({ mask: ["input2", 0, 0], key: null, training: false })))[2]).toEqual(
      mha([
        ["input_1", 0, 0, {}],
        ["input_1", 0, 0, {}],
        ["input_1", 0, 0, {}],
        ["input_2", 0, 0, {}],
      ]),
    );
    const twice = [{ name: "input_2" }, { name: "input__2" }];
    expect(() => mend(...twice, mha(node({ value: ["input2", 0, 0] })))).toThrow(
      "loadLayersModel: an input of a call must name one layer, got input2, which means input_2 or input__2; rename " +
        "the layers of that model",
    );
    expect(() => mend(...inputs, mha(node({ useCausalMask: true }), node({})))).toThrow(
      'loadLayersModel: all calls of the shared layer a must have the same options, got {"useCausalMask":true} and {}; ' +
        "build that model with a layer for each",
    );
    const untouched = { name: "b", className: "B", inboundNodes: [node({ value: ["input2", 0, 0] })] };
    expect(mend(untouched)).toEqual([untouched]);
  });
});
