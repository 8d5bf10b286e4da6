import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { run } from "../../src/cli/program.ts";
import { encodeSafetensors } from "../../src/core/safetensors.ts";
import { MODEL_RECORD } from "../../src/data/locate-model.ts";
import { modelFolder } from "../tasks/pretrained/fixture.ts";
import { COMMIT, filesOf, hubServer, MODEL } from "../tasks/pretrained/hub/hub-server.ts";
import { fakeIo } from "./fake-io.ts";

let cache: string;
let folder: string;
beforeEach(() => {
  cache = mkdtempSync(path.join(tmpdir(), "heed-models-"));
  vi.stubEnv("XDG_CACHE_HOME", cache);
  vi.stubEnv("HF_TOKEN", "");
  folder = path.join(cache, "heed/models", MODEL);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

function filesOfModel(name?: string) {
  const made = modelFolder(name);
  const files = filesOf(made);
  rmSync(path.dirname(made), { recursive: true });
  return files;
}

async function heed(words: string[], env: Record<string, string> = {}) {
  const io = fakeIo({ env });
  const code = await run(words, io);
  return { code, out: io.out(), err: io.err() };
}

test("fetch, list, show and look know a model by its name", async () => {
  const { endpoint } = await hubServer(filesOfModel(), { says: { cardData: { license: "mit" } } });
  const env = { HF_ENDPOINT: endpoint };
  const fetched = await heed(["models", "fetch", MODEL], env);
  const size = Object.values(filesOf(folder)).reduce((sum, { length }) => sum + length, 0);
  expect(fetched).toEqual({
    code: 0,
    out: `${MODEL}: fetched and checked; 3 files, 0.0 MB; bert; licence mit; commit 0123456789ab; ${folder}\n`,
    err: "",
  });
  const again = JSON.parse((await heed(["models", "fetch", MODEL, "--json"], env)).out);
  expect(again).toMatchObject({ name: MODEL, fetched: false, commit: COMMIT, folder, modelType: "bert" });
  expect(again.files.map((file: { name: string }) => file.name).sort()).toEqual([
    "config.json",
    "model.safetensors",
    "tokenizer.json",
  ]);

  mkdirSync(path.join(path.dirname(folder), "half"));
  const list = (await heed(["models", "list"])).out.split("\n");
  expect(list).toContain(`${MODEL}  bert; 0.0 MB, mit; ${folder}`);
  expect(list).toContain(
    `heed-test/half  no config.json; 0.0 MB, not whole; ${path.dirname(folder)}${path.sep}half`,
  );
  const { fetched: all, shipped } = JSON.parse((await heed(["models", "list", "--json"])).out);
  expect(all.find(({ whole }: { whole: boolean }) => whole)).toEqual({
    ...{ name: MODEL, folder, bytes: size, whole: true, commit: COMMIT, licence: "mit", modelType: "bert" },
  });
  const names = readdirSync(path.resolve(import.meta.dirname, "../../weights"));
  expect(shipped.map(({ name }: { name: string }) => name).sort()).toEqual(names.sort());

  const shown = await heed(["models", "show", MODEL]);
  expect(shown.out).toMatch(
    /^bert, safetensors: [\d,]+ parameters\n {2}2 encoder layers, width 6, 3 heads, /,
  );
  const { out } = await heed(["look", MODEL, "--json", "the cat"]);
  expect(JSON.parse(out).tokens).toEqual(["[CLS]", "the", "cat", "[SEP]"]);
});

test("show says what would be loaded, what is left and what lacks, and reads no value", async () => {
  const made = modelFolder("bert", []);
  const weights = path.join(made, "model.safetensors");
  const plain = JSON.parse((await heed(["models", "show", made, "--json"])).out);
  expect(plain.missing).toEqual([]);
  expect(plain.refusal).toBeUndefined();
  const header = readFileSync(weights);
  const headerBytes = Number(header.readBigUInt64LE());
  const tensors = JSON.parse(header.subarray(8, 8 + headerBytes).toString());
  // Every value is NaN: who reads one would notice. One tensor has another name, and one is of no parameter.
  const entries = Object.entries<{ shape: number[] }>(tensors).filter(([name]) => name !== "__metadata__");
  const changed = entries.map(([name, { shape }]) => {
    const size = shape.reduce((product, n) => product * n, 1);
    const title = name.endsWith("word_embeddings.weight") ? `${name}s` : name;
    return [title, { dtype: "F32", shape, data: new Float32Array(size).fill(Number.NaN) }] as const;
  });
  writeFileSync(weights, encodeSafetensors(Object.fromEntries(changed)));
  const { out } = await heed(["models", "show", made, "--json"]);
  const described = JSON.parse(out);
  expect(described.missing).toEqual([expect.stringMatching(/word_embeddings\.weight$/)]);
  const left = described.tensors.filter(({ loaded }: { loaded: boolean }) => !loaded);
  expect(left.map(({ name }: { name: string }) => name)).toContainEqual(
    expect.stringMatching(/word_embeddings\.weights$/),
  );
  expect(described.parameters).toBe(plain.parameters);
  expect(described.memory.resident).toBe(4 * plain.parameters);
  expect(described.memory.peak).toBeGreaterThan(described.memory.resident);
  const text = (await heed(["models", "show", made, "--tensors"])).out;
  expect(text).toMatch(/\n {2}lacks 1: \S*word_embeddings\.weight\n/);
  expect(text).toMatch(/\n {2}\S*word_embeddings\.weights {2}F32 \[13, 6\] {2}left\n/);
  expect(text).toMatch(/ are free: it fits\n {2}beside the weights: nothing\n/);

  // What heed does not compute is shown too, with the reason.
  writeFileSync(path.join(made, "config.json"), '{"model_type":"mamba"}');
  const other = await heed(["models", "show", made]);
  expect(other.code).toBe(0);
  expect(other.out).toMatch(/^mamba, safetensors: /);
  expect(other.out).toContain("heed does not load it: loadPretrained: model_type must be one of bert,");
  rmSync(path.dirname(made), { recursive: true });
});

test("show knows the models that ship with heed, by name and by folder", async () => {
  const folderOf = (name: string) => path.resolve(import.meta.dirname, "../../weights", name);
  const { parameters } = JSON.parse(
    readFileSync(path.join(folderOf("image-classification"), "card.json"), "utf8"),
  );
  const described = JSON.parse((await heed(["models", "show", "image-classification", "--json"])).out);
  expect(described).toMatchObject({ modelType: "image-classification", parameters, missing: [] });
  expect(
    described.tensors.every((one: { loaded: boolean; dtype: string }) => one.loaded && one.dtype === "F16"),
  ).toBe(true);
  expect(described.memory.resident).toBe(4 * parameters);
  const byName = await heed(["models", "show", "translation-en-fr"]);
  expect(byName.out).toMatch(
    /^translation, safetensors: [\d,]+ parameters\n {2}\d+ tensors, 10\.\d MB: \d+ F16\n/,
  );
  const byFolder = await heed(["models", "show", folderOf("translation-en-fr")]);
  const lines = (text: string) => text.split("\n").filter((line) => !line.includes("are free"));
  expect(lines(byFolder.out)).toEqual(lines(byName.out));
});

test("a model that is larger than memory is refused before it is read", async () => {
  const made = modelFolder();
  const { memory } = JSON.parse((await heed(["models", "show", made, "--json"])).out);
  vi.spyOn(process, "availableMemory").mockReturnValue(memory.peak - 1);
  // Whoever read a value would find none.
  const weights = path.join(made, "model.safetensors");
  const bytes = readFileSync(weights);
  const values = 8 + Number(bytes.readBigUInt64LE());
  writeFileSync(weights, Buffer.from(bytes).fill(0xff, values));
  const { code, out, err } = await heed(["look", made, "the cat"]);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toBe(
    `heed look: a model must fit in the ${memory.peak - 1} bytes of memory that are free, got one that takes ` +
      `${memory.peak}; close other programs, or choose a smaller one\n`,
  );
  expect((await heed(["models", "show", made])).out).toContain("are free: it does not fit\n");
  writeFileSync(weights, bytes);
  vi.spyOn(process, "availableMemory").mockReturnValue(memory.peak);
  expect((await heed(["look", made, "--json", "the cat"])).code).toBe(0);
  rmSync(path.dirname(made), { recursive: true });
});

test("what is wrong is said in one line", async () => {
  const refuses = async (message: string, ...words: string[]) => {
    const { code, out, err } = await heed(words, { HF_ENDPOINT: endpoint });
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
    expect(err.trimEnd()).not.toContain("\n");
  };
  const { endpoint } = await hubServer(filesOfModel());
  for (const command of [["look"], ["models", "show"]]) {
    await refuses(
      `heed ${command.join(" ")}: ${MODEL} must be a folder, a file of weights, or a model of the cache, got nothing of ` +
        `that name; run "heed models fetch ${MODEL}", or check the path`,
      ...command,
      MODEL,
    );
  }
  await refuses(`run "heed models fetch ${MODEL} --revision v1 --file a.gguf"`, "look", `${MODEL}@v1/a.gguf`);
  await refuses("heed models fetch: a model must be named OWNER/NAME", "models", "fetch", "tiny");
  await refuses(
    "heed models fetch: file must be one of the weights of",
    ...["models", "fetch", MODEL, "--file", "x"],
  );
  await refuses(
    "heed models fetch: a revision must be given once, got v1 and v2",
    ...["models", "fetch", `${MODEL}@v1`, "--revision", "v2"],
  );
  expect(readdirSync(cache)).toEqual([]);
});

test("a disk that is full in the middle is said, and what came is kept", async () => {
  const files = filesOfModel();
  const { endpoint } = await hubServer(files);
  const handle = await open(path.join(cache, "any"), "w");
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
    ...{ code: "ENOSPC", syscall: "write" },
  });
  vi.spyOn(Object.getPrototypeOf(handle), "appendFile").mockRejectedValue(full);
  await handle.close();
  const { code, err } = await heed(["models", "fetch", MODEL], { HF_ENDPOINT: endpoint });
  expect(code).toBe(2);
  expect(err).toBe(
    `heed models fetch: the cache must be writable, got a full disk for ${folder}; free space, mend its permissions, or ` +
      "choose another folder with --dir or XDG_CACHE_HOME\n",
  );
  vi.restoreAllMocks();
  expect((await heed(["models", "fetch", MODEL], { HF_ENDPOINT: endpoint })).code).toBe(0);
  expect(Object.keys(filesOf(folder)).sort()).toEqual([...Object.keys(files), MODEL_RECORD].sort());
});

test("Ctrl-C ends the command at once, and the next run goes on from there", async () => {
  const files = filesOfModel();
  const content = files["model.safetensors"]!;
  const { endpoint, requests } = await hubServer(files, {
    first: {
      "model.safetensors": [
        (_, response) => {
          response.setHeader("content-length", content.length);
          response.write(content.subarray(0, 1009));
        },
      ],
    },
  });
  const main = path.resolve(import.meta.dirname, "../../dist/cli/main.js");
  const env = { ...process.env, HF_ENDPOINT: endpoint };
  const child = spawn(process.execPath, [main, "models", "fetch", MODEL], { env, stdio: "ignore" });
  const ended = new Promise((resolve) => child.on("exit", (_, signal) => resolve(signal)));
  const part = () => readdirSync(folder).find((name) => name.endsWith(".part"));
  await vi.waitFor(() => expect(statSync(path.join(folder, part()!)).size).toBe(1009), 30_000);
  child.kill("SIGINT");
  expect(await ended).toBe("SIGINT");
  const { code } = await heed(["models", "fetch", MODEL], { HF_ENDPOINT: endpoint });
  expect(code).toBe(0);
  expect(requests.map(({ range }) => range).filter(Boolean)).toEqual(["bytes=1009-"]);
  expect(readFileSync(path.join(folder, "model.safetensors"))).toEqual(content);
});
