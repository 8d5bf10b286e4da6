import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { strToU8, unzipSync, zipSync } from "fflate";
import { beforeAll, expect, test } from "vitest";
import { HeedError } from "../../../src/core/errors.ts";
import { loadKeras, loadKerasWeights } from "../../../src/models/keras/index.ts";
import { expectOutputs, kerasFile } from "./fixture.ts";

beforeAll(() => tf.setBackend("cpu"));

// biome-ignore lint/suspicious/noExplicitAny: the configurations of files, whatever is in them.
type Json = Record<string, any>;

/** The bytes of a fixture, with its configuration changed. */
function changed(name: string, change: (config: Json) => void): Uint8Array {
  const members = unzipSync(kerasFile(`${name}.keras`));
  const config = JSON.parse(new TextDecoder().decode(members["config.json"])) as Json;
  change(config);
  return zipSync({ ...members, "config.json": strToU8(JSON.stringify(config)) }, { level: 0 });
}

const layer = (config: Json, name: string) =>
  config.config.layers.find((one: Json) => (one.name ?? one.config.name) === name) as Json;

test("a layer that heed has not is refused by its name, with all others, and code is not run", async () => {
  await expect(loadKeras(kerasFile("unknown.keras"))).rejects.toThrow(
    "of two tensors, got Doubled, EinsumDense, Lambda; build the model of these; a Lambda is code of Python, which is not run",
  );
  const custom = changed("stack", (config) => {
    config.config.layers[1].module = "__main__";
  });
  await expect(loadKeras(custom)).rejects.toMatchObject({ code: "UNSUPPORTED", details: { got: "Dense" } });
  for (const name of ["__proto__", "constructor", "toString"]) {
    const named = changed("stack", (config) => {
      config.config.layers[1].class_name = name;
    });
    await expect(loadKeras(named)).rejects.toMatchObject({ code: "UNSUPPORTED", details: { got: name } });
  }
});

test("what TensorFlow.js would compute otherwise is refused, where it would say nothing", async () => {
  const cases: [string, (config: Json) => void, string][] = [
    ["convolutions", (c) => (layer(c, "conv2d").config.groups = 3), "groups of Conv2D must be 1, got 3"],
    [
      "convolutions",
      (c) => (layer(c, "conv2d").config.padding = "causal"),
      'must be "valid" or "same", got causal',
    ],
    [
      "convolutions",
      (c) => (layer(c, "re_lu").config.threshold = 0.5),
      "threshold of ReLU must be 0, got 0.5",
    ],
    ["stack", (c) => (c.config.layers[1].config.activation = "hard_sigmoid"), "got hard_sigmoid"],
    [
      "stack",
      (c) => (c.config.layers[1].config.new_option = 2),
      "new_option of Dense must say nothing, got 2",
    ],
    [
      "stack",
      (c) => (c.config.layers[1].config.dtype.class_name = "QuantizedDTypePolicy"),
      "got QuantizedDTypePolicy",
    ],
    [
      "reset_after",
      (c) => (layer(c, "gru").config.activation = "relu"),
      'activation of a GRU with reset_after must be "tanh"',
    ],
    [
      "reset_after",
      (c) => (layer(c, "bidirectional").config.backward_layer.config.units = 3),
      "must be as the forward one",
    ],
  ];
  for (const [name, change, message] of cases) {
    const error = await loadKeras(changed(name, change)).catch((thrown: unknown) => thrown);
    expect(error, message).toBeInstanceOf(HeedError);
    expect((error as Error).message).toContain(message);
  }
});

test("graphs that no call order makes are refused at once: circles, calls that are not there, inputs of elsewhere", async () => {
  const before = tf.memory().numTensors;
  const reroute = (to: unknown[]) =>
    changed("shared", (config) => {
      layer(config, "dense_5").inbound_nodes[0].args[0].config.keras_history = to;
    });
  await expect(loadKeras(reroute(["dense_5", 0, 0]))).rejects.toThrow(
    "calls must not wait for each other, got dense_5 in a circle",
  );
  await expect(loadKeras(reroute(["once_and_again", 1, 0]))).rejects.toThrow("in a circle");
  await expect(loadKeras(reroute(["once_and_again", 1e12, 0]))).rejects.toThrow(
    "a call must be of a layer of the model",
  );
  await expect(loadKeras(reroute(["elsewhere", 0, 0]))).rejects.toThrow("got elsewhere, call 0");
  await expect(loadKeras(reroute(["first_input", 0, 7]))).rejects.toThrow(
    "an input of dense_5 must be an output of first_input",
  );
  await expect(loadKeras(reroute(["__proto__", 0, 0]))).rejects.toThrow(
    "a call must be of a layer of the model",
  );
  await expect(loadKeras(reroute(["dense_5", -1, 0]))).rejects.toThrow(
    "a tensor must be [layer, call, output]",
  );
  const twins = changed("shared", (config) => {
    config.config.layers.push(layer(config, "dense_5"));
  });
  await expect(loadKeras(twins)).rejects.toThrow("must have names of their own");
  expect(tf.memory().numTensors).toBe(before);
});

test("weights belong to the model, all of them, in their shapes", async () => {
  const before = tf.memory().numTensors;
  const wider = changed("stack", (config) => {
    config.config.layers[1].config.units = 6;
  });
  await expect(loadKeras(wider)).rejects.toThrow(
    "loadKeras: the file must have the 6 variables of the model, and no others, got layers/dense/vars/0 [7, 5] for [7, 6], " +
      "layers/dense/vars/1 [5] for [6], layers/dense_1/vars/0 [5, 5] for [6, 5]; take the file of this model",
  );
  const fewer = changed("stack", (config) => {
    config.config.layers.pop();
  });
  await expect(loadKeras(fewer)).rejects.toThrow("layers/dense_2/vars/0 too");
  expect(tf.memory().numTensors).toBe(before);
  await expect(loadKeras(kerasFile("stack.weights.h5"))).rejects.toThrow(
    "got weights alone; give weights alone to loadKerasWeights",
  );
  const model = await loadKeras(kerasFile("stack.keras"));
  await loadKerasWeights(model, kerasFile("stack.weights.h5"));
  expectOutputs(model, "stack.weights", 1e-5);
  model.dispose();
});

test("archives that claim, pack or point to more than they hold", async () => {
  const members = unzipSync(kerasFile("stack.keras"));
  const archive = (more: Record<string, Uint8Array>, level: 0 | 9 = 0) =>
    zipSync({ ...members, ...more }, { level });
  await expect(loadKeras(archive({ "config.json": new Uint8Array(70e6) }, 9))).rejects.toThrow(
    "must have at most 67108864 bytes",
  );
  await expect(loadKeras(archive({ "config.json": strToU8("[".repeat(1e6)) }))).rejects.toThrow(
    "must nest at most 256 deep",
  );
  await expect(loadKeras(archive({ "config.json": strToU8("{") }))).rejects.toMatchObject({
    code: "DAMAGED",
  });
  // A member that leaves the archive is never looked at, nor written anywhere.
  const model = await loadKeras(archive({ "../../etc/passwd": Uint8Array.of(1) }, 9));
  expectOutputs(model, "stack", 1e-5);
  model.dispose();
  const whole = kerasFile("stack.keras");
  for (const share of [0.1, 0.5, 0.9, 0.999])
    await expect(loadKeras(whole.subarray(0, Math.floor(whole.length * share)))).rejects.toBeInstanceOf(
      HeedError,
    );
  const cut = members["model.weights.h5"]!.subarray(0, 4000);
  await expect(loadKeras(archive({ "model.weights.h5": cut }))).rejects.toMatchObject({ code: "DAMAGED" });
  const npz = { ...members, "model.weights.npz": new Uint8Array(3) } as Record<string, Uint8Array>;
  delete npz["model.weights.h5"];
  await expect(loadKeras(zipSync(npz))).rejects.toThrow("a Keras archive must have model.weights.h5");
});
