import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { HeedError } from "../../../../src/core/errors.ts";
import { locateModel } from "../../../../src/data/locate-model.ts";
import { fetchModel } from "../../../../src/tasks/pretrained/hub/fetch-model.ts";
import { loadModel } from "../../../../src/tasks/pretrained/model.ts";
import { serve, status } from "../../../data/file-server.ts";
import { expectNone, expectWhole, failure, get, NEEDED, repositoryFiles, useCache } from "./fixture.ts";
import { type Answer, COMMIT, filesOf, hubServer, MODEL } from "./hub-server.ts";

const FILES = repositoryFiles();
const cache = useCache();

describe("fetchModel", () => {
  test("brings what heed needs, and the name then works as a folder does", async () => {
    const { endpoint, asked } = await hubServer(FILES, { says: { cardData: { license: "mit" } } });
    const seen: number[] = [];
    const fetched = await get(endpoint, { onProgress: ({ received, total }) => seen.push(received / total) });
    expect(fetched).toMatchObject({ name: MODEL, revision: "main", commit: COMMIT, licence: "mit" });
    expect(fetched).toMatchObject({ folder: cache.folder, fetched: true, modelType: "bert" });
    expect(fetched.files.map(({ name }) => name).sort()).toEqual(NEEDED);
    expectWhole(cache, FILES);
    expect(asked().sort()).toEqual(NEEDED);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
    const model = await loadModel(MODEL);
    expect(model.look("the cat").layers).toHaveLength(2);
    model.dispose();
  });

  test("checks what is there, and fetches only what is wrong", async () => {
    const { endpoint, asked } = await hubServer(FILES);
    await get(endpoint);
    expect(await get(endpoint)).toMatchObject({ fetched: false });
    // A bit of the weights, and the length of a file that git's checksum is of.
    const weights = path.join(cache.folder, "model.safetensors");
    const content = readFileSync(weights);
    writeFileSync(weights, content.with(-1, content.at(-1)! ^ 1));
    writeFileSync(path.join(cache.folder, "modules.json"), "[ ]");
    expect(await get(endpoint)).toMatchObject({ fetched: true });
    expectWhole(cache, FILES);
    expect(asked().slice(NEEDED.length).sort()).toEqual(["model.safetensors", "modules.json"]);
  });

  test("replaces the files of another commit, and removes those that it no longer has", async () => {
    await get((await hubServer(FILES)).endpoint);
    const { "vocab.txt": _, ...others } = FILES;
    const fewer = { ...others, "modules.json": Buffer.from("[1]") };
    const commit = COMMIT.replace("0", "f");
    const first = { "modules.json": [status(404)] };
    const { endpoint, asked } = await hubServer(fewer, { commit, first });
    // Between two commits the folder is nobody's model.
    expect((await failure(endpoint)).message).toContain("got 404 for");
    expectNone(cache);
    writeFileSync(path.join(cache.folder, "notes.txt"), "mine");
    expect(await get(endpoint)).toMatchObject({ commit, fetched: true });
    expect(asked()).toEqual(["modules.json", "modules.json"]);
    expect(JSON.parse(readFileSync(path.join(cache.folder, "modules.json"), "utf8"))).toEqual([1]);
    expect(existsSync(path.join(cache.folder, "vocab.txt"))).toBe(false);
    expect(readFileSync(path.join(cache.folder, "notes.txt"), "utf8")).toBe("mine");
  });

  test("takes the shards that an index names, and no others", async () => {
    const { "model.safetensors": all, "pytorch_model.bin": _, ...others } = FILES;
    const weight_map = { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" };
    const shards = Object.fromEntries(Object.values(weight_map).map((name) => [name, all!]));
    const index = { "model.safetensors.index.json": Buffer.from(JSON.stringify({ weight_map })) };
    const extra = { "model-00003-of-00002.safetensors": all! };
    const { endpoint, asked } = await hubServer({ ...others, ...shards, ...index, ...extra });
    await get(endpoint);
    const weights = asked().filter((name) => name.startsWith("model"));
    expect(weights).toEqual(["model.safetensors.index.json", ...Object.values(weight_map)]);
    const lacking = await hubServer({ ...others, ...index });
    rmSync(cache.folder, { recursive: true });
    expect((await failure(lacking.endpoint)).message).toBe(
      `fetchModel: ${MODEL} must have the files that model.safetensors.index.json names, got no ` +
        "model-00001-of-00002.safetensors; tell whoever published it",
    );
    const evil = Buffer.from(JSON.stringify({ weight_map: { a: "../../../evil" } }));
    const leaving = await hubServer({ ...others, "model.safetensors.index.json": evil });
    rmSync(cache.folder, { recursive: true });
    expect((await failure(leaving.endpoint)).message).toContain(
      'weight_map must give files of the same folder, got "../../../evil"',
    );
  });

  test("takes a GGUF file that is named, and a revision into a folder of its own", async () => {
    const gguf = { "config.json": FILES["config.json"]!, "a.Q4_0.gguf": Buffer.from("GGUF 4") };
    const { endpoint } = await hubServer(
      { ...gguf, "b.Q8_0.gguf": Buffer.from("GGUF 8") },
      { revision: "refs/pr/1" },
    );
    const error = await failure(endpoint, { revision: "refs/pr/1" });
    expect(error.message).toBe(
      `fetchModel: ${MODEL} must have one of model.safetensors, model.safetensors.index.json, pytorch_model.bin, got ` +
        "a.Q4_0.gguf, b.Q8_0.gguf; name another file of weights with --file",
    );
    const fetched = await get(endpoint, { revision: "refs/pr/1", file: "a.Q4_0.gguf" });
    expect(fetched.folder).toBe(`${cache.folder}@refs%2Fpr%2F1`);
    const place = `${MODEL}@refs%2Fpr%2F1`;
    expect(locateModel(place)).toBe(path.join(fetched.folder, "a.Q4_0.gguf"));
    await get(endpoint, { revision: "refs/pr/1", file: "b.Q8_0.gguf" });
    expect(locateModel(place)).toBe(path.join(fetched.folder, "b.Q8_0.gguf"));
    expect(locateModel(`${place}/a.Q4_0.gguf`)).toBe(path.join(fetched.folder, "a.Q4_0.gguf"));
    expect((await failure(endpoint, { revision: "refs/pr/1", file: "../c.gguf" })).code).toBe("UNKNOWN");
  });

  test("asks again after 500, and after 429 when the server says", async () => {
    const { endpoint, requests } = await hubServer(FILES, {
      first: {
        api: [status(500), status(429, { "retry-after": "0" })],
        "config.json": [status(503)],
        "model.safetensors": [status(429, { "retry-after": "1" })],
      },
    });
    const start = performance.now();
    await get(endpoint);
    expect(performance.now() - start).toBeGreaterThan(950);
    expectWhole(cache, FILES);
    expect(requests).toHaveLength(1 + NEEDED.length + 4);
  });

  test("goes on where the line was cut, in this run and in the next", async () => {
    const content = FILES["model.safetensors"]!;
    const cut = (at: number) => serve(content, { cutAfter: at, etag: '"model.safetensors"' });
    const { endpoint, requests } = await hubServer(FILES, {
      first: { "model.safetensors": [cut(1009), cut(503)] },
    });
    expect((await failure(endpoint, { attempts: 1 })).message).toContain("it goes on from there");
    expectNone(cache);
    await get(endpoint);
    expectWhole(cache, FILES);
    const ranges = requests.filter(({ path: url }) => url.endsWith("model.safetensors"));
    expect(ranges.map(({ range }) => range)).toEqual([undefined, "bytes=1009-", "bytes=1512-"]);
  });

  test("goes on after a run that was killed", async () => {
    mkdirSync(cache.folder, { recursive: true });
    // No process can have a number this high.
    const part = path.join(cache.folder, "model.safetensors.99999999-0.part");
    writeFileSync(part, FILES["model.safetensors"]!.subarray(0, 1013));
    const { endpoint, requests } = await hubServer(FILES);
    await get(endpoint);
    expectWhole(cache, FILES);
    expect(requests.find(({ path: url }) => url.endsWith("model.safetensors"))!.range).toBe("bytes=1013-");
  });

  test("can run several times at once", async () => {
    const { endpoint } = await hubServer(FILES);
    await Promise.all(Array.from({ length: 3 }, () => get(endpoint)));
    expectWhole(cache, FILES);
  });

  test("waits for a server that is slow to begin", async () => {
    const slow: Answer = (request, response) =>
      setTimeout(() => serve(FILES["model.safetensors"]!)(request, response), 300);
    const { endpoint, asked } = await hubServer(FILES, { first: { "model.safetensors": [slow] } });
    await get(endpoint, { silenceMs: 20_000 });
    expectWhole(cache, FILES);
    expect(asked()).toHaveLength(NEEDED.length);
  });
});

describe("a token", () => {
  test("goes to the hub, and to no other host that it redirects to", async () => {
    const store = await hubServer(FILES);
    const { endpoint, requests } = await hubServer(FILES, {
      first: {
        "model.safetensors": [
          status(302, {
            location: `${store.endpoint}/${MODEL}/resolve/${COMMIT}/model.safetensors?signed=1`,
          }),
        ],
        "tokenizer.json": [status(307, { location: `/${MODEL}/resolve/${COMMIT}/tokenizer.json` })],
      },
    });
    await get(endpoint, { token: "hf_secret" });
    expectWhole(cache, FILES);
    expect(store.requests).toEqual([{ path: `/${MODEL}/resolve/${COMMIT}/model.safetensors?signed=1` }]);
    expect(requests.every(({ token }) => token === "Bearer hf_secret")).toBe(true);
  });

  test("comes from the environment, and is never said", async () => {
    vi.stubEnv("HF_TOKEN", " hf_secret\n");
    const { endpoint, requests } = await hubServer(FILES, { first: { "config.json": [status(403)] } });
    vi.stubEnv("HF_ENDPOINT", `${endpoint}/`);
    const error = await fetchModel(MODEL).then(
      () => expect.fail("it was fetched"),
      (thrown: HeedError) => thrown,
    );
    expect(error.message).toBe(
      `fetchModel: ${MODEL} must be there and open to you, got 403 for ${endpoint}/${MODEL}/resolve/${COMMIT}/config.json; ` +
        `accept its terms at ${endpoint}/${MODEL} with the account of HF_TOKEN, or set a token that may read it`,
    );
    expect(JSON.stringify([error.message, error.stack, error.details])).not.toContain("hf_secret");
    expect(requests.map(({ token }) => token)).toEqual(["Bearer hf_secret", "Bearer hf_secret"]);
    await fetchModel(MODEL);
    for (const content of Object.values(filesOf(cache.folder)))
      expect(content.includes("hf_secret")).toBe(false);
    const wrong = await failure(endpoint, { token: "hf secret" });
    expect(wrong.message).not.toContain("hf secret");
    expect(wrong.code).toBe("OPTION");
  });

  test("and what comes, is not sent over plain http but on this machine", async () => {
    const said = "the address must be https:, or of this machine, got http://example.org; write https:";
    expect((await failure("http://example.org")).message).toContain(said);
    const away = status(302, { location: "http://example.org/file" });
    const { endpoint } = await hubServer(FILES, { first: { "config.json": [away] } });
    expect((await failure(endpoint)).message).toContain(said);
    expectNone(cache);
  });
});
