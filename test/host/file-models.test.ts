import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { layers, loadLayersModel, sequential } from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DataError, FileError, HeedError } from "../../src/core/errors.ts";
import { registerFileModels } from "../../src/host/file-models.ts";
import "../attention/support.ts";
import { RandomStream } from "../../src/core/random.ts";
import { mutations } from "../../tools/fuzz/mutate-json.mjs";

const root = mkdtempSync(path.join(tmpdir(), "heed-models-"));
afterAll(() => rmSync(root, { recursive: true }));
beforeAll(() => tf.setBackend("cpu"));
registerFileModels();
registerFileModels();

const folder = path.join(root, "with a space");
const url = pathToFileURL(folder).href;
const x = () => tf.tensor2d([[1, 2, 3]]);
const make = () =>
  sequential({ layers: [layers.dense({ units: 2, inputShape: [3] }), layers.dense({ units: 1 })] });

it("saves to a folder, and loads the folder or its model.json", async () => {
  const model = make();
  model.setUserDefinedMetadata({ note: "kept" });
  const { modelArtifactsInfo } = await model.save(url);
  expect(modelArtifactsInfo.weightDataBytes).toBe(4 * (3 * 2 + 2 + 2 + 1));
  for (const from of [url, `${url}/model.json`]) {
    const loaded = await loadLayersModel(from);
    expect([...(loaded.predict(x()) as tf.Tensor).dataSync()]).toEqual([
      ...(model.predict(x()) as tf.Tensor).dataSync(),
    ]);
    expect(loaded.getUserDefinedMetadata()).toEqual({ note: "kept" });
  }
});

it("loads weights in several files, as tensorflowjs_converter writes them", async () => {
  const model = make();
  const target = path.join(root, "shards");
  await model.save(pathToFileURL(target).href);
  const json = JSON.parse(readFileSync(path.join(target, "model.json"), "utf8"));
  const bytes = readFileSync(path.join(target, "weights.bin"));
  const [a, b] = ["group1-shard1of2.bin", "group1-shard2of2.bin"];
  writeFileSync(path.join(target, a!), bytes.subarray(0, 10));
  writeFileSync(path.join(target, b!), bytes.subarray(10));
  json.weightsManifest[0].paths = [a, b];
  writeFileSync(path.join(target, "model.json"), JSON.stringify(json));
  rmSync(path.join(target, "weights.bin"));
  const loaded = await loadLayersModel(pathToFileURL(target).href);
  expect([...(loaded.predict(x()) as tf.Tensor).dataSync()]).toEqual([
    ...(model.predict(x()) as tf.Tensor).dataSync(),
  ]);
});

it("saves the optimizer too when asked", async () => {
  const model = make();
  model.compile({ optimizer: tf.train.adam(0.1), loss: "meanSquaredError" });
  await model.trainOnBatch(x(), tf.ones([1, 1]));
  const target = pathToFileURL(path.join(root, "optimizer")).href;
  await model.save(target, { includeOptimizer: true });
  const loaded = await loadLayersModel(target);
  expect(loaded.optimizer).toBeDefined();
});

it("leaves these addresses to whatever else answers them", async () => {
  let asked = "";
  tf.io.registerLoadRouter((address) => {
    if (typeof address !== "string" || !address.startsWith("file://elsewhere")) return null as never;
    asked = address;
    return { load: async () => Promise.reject(new Error("theirs")) };
  });
  await expect(loadLayersModel("file://elsewhere/model.json")).rejects.toThrow("theirs");
  expect(asked).toBe("file://elsewhere/model.json");
});

it("says what is wrong with a file", async () => {
  await expect(loadLayersModel(`${url}-missing`)).rejects.toThrow(FileError);
  await expect(loadLayersModel(`${url}-missing`)).rejects.toThrow(
    /^loadLayersModel: the file must be readable, got no such file for .*model\.json; check the path and its permissions$/,
  );
  const target = path.join(root, "damaged");
  const address = pathToFileURL(target).href;
  await make().save(address);
  const weights = readFileSync(path.join(target, "weights.bin"));
  writeFileSync(path.join(target, "weights.bin"), weights.subarray(4));
  await expect(loadLayersModel(address)).rejects.toThrow(DataError);
  await expect(loadLayersModel(address)).rejects.toThrow("got 40 bytes where its weights have 44;");
  writeFileSync(path.join(target, "model.json"), "{}");
  await expect(loadLayersModel(address)).rejects.toThrow(
    "model.json must be what heed wrote, got no modelTopology;",
  );
  writeFileSync(path.join(root, "file"), "");
  await expect(make().save(pathToFileURL(path.join(root, "file", "in")).href)).rejects.toThrow(
    /^LayersModel\.save: .* must be a folder that can be written, got a file where a folder should be; name another one$/,
  );
});

it("reads no file outside of the model's folder", async () => {
  const target = path.join(root, "stray");
  await make().save(pathToFileURL(target).href);
  const json = JSON.parse(readFileSync(path.join(target, "model.json"), "utf8"));
  writeFileSync(path.join(root, "secret"), readFileSync(path.join(target, "weights.bin")));
  for (const stray of ["../secret", "a/../../secret", 3]) {
    json.weightsManifest[0].paths = [stray];
    writeFileSync(path.join(target, "model.json"), JSON.stringify(json));
    await expect(loadLayersModel(pathToFileURL(target).href)).rejects.toThrow(
      `model.json must be what heed wrote, got weights outside of its folder, ${JSON.stringify(stray)};`,
    );
  }
  for (const empty of ["null", '{"modelTopology":null}']) {
    writeFileSync(path.join(target, "model.json"), empty);
    await expect(loadLayersModel(pathToFileURL(target).href)).rejects.toThrow("got no modelTopology;");
  }
});

it("refuses a manifest that is none, and says which part of it", async () => {
  const target = path.join(root, "manifest");
  const file = path.join(target, "model.json");
  const address = pathToFileURL(target).href;
  await make().save(address);
  const whole = JSON.parse(readFileSync(file, "utf8"));
  const [group] = whole.weightsManifest;
  const [weight, ...others] = group.weights;
  const cases: [unknown, string][] = [
    [{ 0: group }, "a weightsManifest that is no list"],
    [[null], "no list of paths in entry 0 of weightsManifest"],
    [[group, { ...group, paths: "weights.bin" }], "no list of paths in entry 1 of weightsManifest"],
    [[{ ...group, weights: undefined }], "no list of weights in entry 0 of weightsManifest"],
    ...[
      { ...weight, shape: undefined },
      { ...weight, shape: [3, -2] },
      { ...weight, shape: ["3", 2] },
      { ...weight, dtype: "float8" },
      { ...weight, dtype: "constructor" },
      { ...weight, name: 7 },
      { ...weight, quantization: { dtype: "uint8", scale: "1", min: 0 } },
      { ...weight, quantization: 1 },
      null,
    ].map((one): [unknown, string] => [
      [{ ...group, weights: [...others, one] }],
      "no name, shape and dtype of weight 3 in entry 0 of weightsManifest",
    ]),
  ];
  for (const [weightsManifest, got] of cases) {
    writeFileSync(file, JSON.stringify({ ...whole, weightsManifest }));
    await expect(loadLayersModel(address)).rejects.toThrow(
      expect.objectContaining({
        name: "DataError",
        code: "DAMAGED",
        message: `loadLayersModel: ${file} must be what heed wrote, got ${got}; copy or train the model again`,
      }),
    );
  }
  writeFileSync(file, `{"modelTopology": ${"[".repeat(5000)}`);
  await expect(loadLayersModel(address)).rejects.toThrow("got brackets more than 200 deep;");
});

it("reads quantized weights only where all their bytes are there", async () => {
  const target = path.join(root, "quantized");
  const file = path.join(target, "model.json");
  const address = pathToFileURL(target).href;
  await make().save(address);
  const json = JSON.parse(readFileSync(file, "utf8"));
  for (const weight of json.weightsManifest[0].weights)
    weight.quantization = { dtype: "uint8", scale: 0.5, min: -1 };
  writeFileSync(file, JSON.stringify(json));
  await expect(loadLayersModel(address)).rejects.toThrow("got 44 bytes where its weights have 11;");
  writeFileSync(
    path.join(target, "weights.bin"),
    Uint8Array.from({ length: 11 }, (_, i) => i),
  );
  const weights = (await loadLayersModel(address)).getWeights();
  expect([...weights[0]!.dataSync()]).toEqual([-1, -0.5, 0, 0.5, 1, 1.5]);
});

it("answers 1,000 mutated model.json with a model's parts or a typed error", async () => {
  const target = path.join(root, "mutated");
  const file = path.join(target, "model.json");
  await make().save(pathToFileURL(target).href);
  const whole = JSON.parse(readFileSync(file, "utf8"));
  const [handler] = tf.io.getLoadHandlers(pathToFileURL(target).href) as tf.io.IOHandler[];
  let [read, refused] = [0, 0];
  for (const json of mutations(new RandomStream(3), 1000, whole)) {
    writeFileSync(file, JSON.stringify(json));
    try {
      await handler!.load!();
      read++;
    } catch (error) {
      if (!(error instanceof HeedError)) throw new Error(JSON.stringify(json), { cause: error });
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(200);
  expect(read).toBeGreaterThan(200);
});
