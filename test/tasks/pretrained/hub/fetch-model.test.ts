import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { HeedError } from "../../../../src/core/errors.ts";
import { locateModel, MODEL_RECORD } from "../../../../src/data/locate-model.ts";
import { type FetchModelOptions, fetchModel } from "../../../../src/tasks/pretrained/hub/fetch-model.ts";
import { loadModel } from "../../../../src/tasks/pretrained/model.ts";
import { firstByte, serve, status } from "../../../data/file-server.ts";
import { modelFolder } from "../fixture.ts";
import { type Answer, COMMIT, type Files, filesOf, hubServer, json, MODEL, sibling } from "./hub-server.ts";

let FILES: Files;
beforeAll(() => {
  const folder = modelFolder();
  FILES = {
    ...filesOf(folder),
    "README.md": Buffer.from("# tiny"),
    "tf_model.h5": Buffer.from("another's"),
    "pytorch_model.bin": Buffer.from("the same weights once more"),
    "1_Pooling/config.json": Buffer.from('{"pooling_mode_mean_tokens":true}'),
    "modules.json": Buffer.from("[]"),
    "vocab.txt": Buffer.from(""),
  };
  rmSync(path.dirname(folder), { recursive: true });
});

const NEEDED = [
  "1_Pooling/config.json",
  "config.json",
  "model.safetensors",
  "modules.json",
  "tokenizer.json",
  "vocab.txt",
];

let cache: string;
let folder: string;
beforeEach(() => {
  cache = mkdtempSync(path.join(tmpdir(), "heed-hub-"));
  vi.stubEnv("XDG_CACHE_HOME", cache);
  vi.stubEnv("HF_TOKEN", "");
  vi.stubEnv("HF_ENDPOINT", "");
  folder = path.join(cache, "heed/models", MODEL);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});
afterAll(() => vi.unstubAllEnvs());

const get = (endpoint: string, options: FetchModelOptions = {}) =>
  fetchModel(MODEL, { endpoint, retryDelayMs: 1, ...options });
const failure = (endpoint: string, options: FetchModelOptions = {}) =>
  get(endpoint, options).then(
    () => expect.fail("the model was fetched"),
    (error: HeedError) => error,
  );

function expectWhole(names = NEEDED): void {
  const found = Object.keys(filesOf(folder));
  expect(found.sort()).toEqual([...names, MODEL_RECORD].sort());
  for (const name of names) expect(readFileSync(path.join(folder, name))).toEqual(FILES[name]);
}
/** Nothing may take a half model for a whole one. */
function expectNone(): void {
  expect(existsSync(path.join(folder, MODEL_RECORD))).toBe(false);
  expect(() => locateModel(MODEL)).toThrow(`run "heed models fetch ${MODEL}"`);
}

const html: Answer = (_, response) =>
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<html>sign in</html>");

describe("fetchModel", () => {
  test("brings what heed needs, and the name then works as a folder does", async () => {
    const { endpoint, asked } = await hubServer(FILES, { says: { cardData: { license: "mit" } } });
    const seen: number[] = [];
    const fetched = await get(endpoint, { onProgress: ({ received, total }) => seen.push(received / total) });
    expect(fetched).toMatchObject({ name: MODEL, revision: "main", commit: COMMIT, licence: "mit" });
    expect(fetched).toMatchObject({ folder, fetched: true, modelType: "bert" });
    expect(fetched.files.map(({ name }) => name).sort()).toEqual(NEEDED);
    expectWhole();
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
    const weights = path.join(folder, "model.safetensors");
    const content = readFileSync(weights);
    writeFileSync(weights, content.with(-1, content.at(-1)! ^ 1));
    writeFileSync(path.join(folder, "modules.json"), "[ ]");
    expect(await get(endpoint)).toMatchObject({ fetched: true });
    expectWhole();
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
    expectNone();
    writeFileSync(path.join(folder, "notes.txt"), "mine");
    expect(await get(endpoint)).toMatchObject({ commit, fetched: true });
    expect(asked()).toEqual(["modules.json", "modules.json"]);
    expect(JSON.parse(readFileSync(path.join(folder, "modules.json"), "utf8"))).toEqual([1]);
    expect(existsSync(path.join(folder, "vocab.txt"))).toBe(false);
    expect(readFileSync(path.join(folder, "notes.txt"), "utf8")).toBe("mine");
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
    rmSync(folder, { recursive: true });
    expect((await failure(lacking.endpoint)).message).toBe(
      `fetchModel: ${MODEL} must have the files that model.safetensors.index.json names, got no ` +
        "model-00001-of-00002.safetensors; tell whoever published it",
    );
    const evil = Buffer.from(JSON.stringify({ weight_map: { a: "../../../evil" } }));
    const leaving = await hubServer({ ...others, "model.safetensors.index.json": evil });
    rmSync(folder, { recursive: true });
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
    expect(fetched.folder).toBe(`${folder}@refs%2Fpr%2F1`);
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
    expectWhole();
    expect(requests).toHaveLength(1 + NEEDED.length + 4);
  });

  test("goes on where the line was cut, in this run and in the next", async () => {
    const content = FILES["model.safetensors"]!;
    const cut = (at: number) => serve(content, { cutAfter: at, etag: '"model.safetensors"' });
    const { endpoint, requests } = await hubServer(FILES, {
      first: { "model.safetensors": [cut(1009), cut(503)] },
    });
    expect((await failure(endpoint, { attempts: 1 })).message).toContain("it goes on from there");
    expectNone();
    await get(endpoint);
    expectWhole();
    const ranges = requests.filter(({ path: url }) => url.endsWith("model.safetensors"));
    expect(ranges.map(({ range }) => range)).toEqual([undefined, "bytes=1009-", "bytes=1512-"]);
  });

  test("goes on after a run that was killed", async () => {
    mkdirSync(folder, { recursive: true });
    // No process can have a number this high.
    const part = path.join(folder, "model.safetensors.99999999-0.part");
    writeFileSync(part, FILES["model.safetensors"]!.subarray(0, 1013));
    const { endpoint, requests } = await hubServer(FILES);
    await get(endpoint);
    expectWhole();
    expect(requests.find(({ path: url }) => url.endsWith("model.safetensors"))!.range).toBe("bytes=1013-");
  });

  test("can run several times at once", async () => {
    const { endpoint } = await hubServer(FILES);
    await Promise.all(Array.from({ length: 3 }, () => get(endpoint)));
    expectWhole();
  });

  test("waits for a server that is slow to begin", async () => {
    const slow: Answer = (request, response) =>
      setTimeout(() => serve(FILES["model.safetensors"]!)(request, response), 300);
    const { endpoint, asked } = await hubServer(FILES, { first: { "model.safetensors": [slow] } });
    await get(endpoint, { silenceMs: 20_000 });
    expectWhole();
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
    expectWhole();
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
    for (const content of Object.values(filesOf(folder))) expect(content.includes("hf_secret")).toBe(false);
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
    expectNone();
  });
});

describe("fetchModel refuses", () => {
  test.each([
    ["nobody", "is no name"],
    ["a/b/c", "is no name"],
    ["../b", "is no name"],
    ["a/..", "is no name"],
    ["a/b@../c", "is no name"],
    ["http://a/b", "is no name"],
  ])("%s, which %s", async (name) => {
    await expect(fetchModel(name, { endpoint: "http://127.0.0.1:1" })).rejects.toThrow(
      `fetchModel: a model must be named OWNER/NAME, as the hub has it, got ${JSON.stringify(name)}; copy the name`,
    );
  });

  test.each(["../x", "a//b", "", "a b", "/a"])("the revision %j", async (revision) => {
    await expect(fetchModel(MODEL, { endpoint: "http://127.0.0.1:1", revision })).rejects.toThrow(
      "a revision must be a branch, a tag or a commit",
    );
  });

  test.each<[number, string, string]>([
    [401, "GatedRepo", `check the name; where it is private or has terms, accept them at`],
    [403, "GatedRepo", `check the name; where it is private or has terms, accept them at`],
  ])("a model that is not open (%i), naming the token", async (code, word, remedy) => {
    const closed = status(code, { "x-error-code": word });
    const { endpoint } = await hubServer(FILES, { first: { api: [closed] } });
    const { message, details } = await failure(endpoint);
    expect(message).toContain(
      `${MODEL} must be there and open to you, got ${code} ${word} for ${endpoint}/api`,
    );
    expect(message).toContain(`${remedy} ${endpoint}/${MODEL} and set HF_TOKEN`);
    expect(details.status).toBe(code);
    expect(readdirSync(cache)).toEqual([]);
  });

  test("a model that is not there, a revision that it has not, and a file that is gone", async () => {
    const nothing = await hubServer(FILES, { first: { api: [status(404)] } });
    expect((await failure(nothing.endpoint)).message).toContain(`${MODEL} must be there, got 404 for`);
    const { endpoint } = await hubServer(FILES);
    expect((await failure(endpoint, { revision: "v9" })).message).toBe(
      `fetchModel: ${MODEL} must be there, at revision v9, got 404 RevisionNotFound for ` +
        `${endpoint}/api/models/${MODEL}/revision/v9?blobs=true; see ${endpoint}/${MODEL}`,
    );
    const gone = await hubServer(FILES, { first: { "model.safetensors": [status(404)] } });
    expect((await failure(gone.endpoint)).code).toBe("DOWNLOAD");
    expectNone();
  });

  test("a server that wants to be left alone for long, and says how long", async () => {
    const { endpoint } = await hubServer(FILES, { first: { api: [status(429, { "retry-after": "3600" })] } });
    const { message, details } = await failure(endpoint);
    expect(message).toContain("the server must take a request within 120 s, got status 429 from");
    expect(message).toContain("to be asked again in 3600 s");
    expect(details.seconds).toBe(3600);
  });

  test("a server that fails each time", async () => {
    const { endpoint, requests } = await hubServer(FILES, { first: { api: Array(9).fill(status(502)) } });
    const { message } = await failure(endpoint, { attempts: 3 });
    expect(message).toContain("3 requests must bring what the hub says of the model, got nothing whole from");
    expect(message).toContain("(the last: status 502)");
    expect(requests).toHaveLength(3);
  });

  test.each<[string, () => Answer, string]>([
    ["other bytes", () => serve(Buffer.alloc(FILES["model.safetensors"]!.length, 7)), "must have sha256"],
    ["a shorter file", () => serve(Buffer.alloc(2000, 7)), "bytes, got 2000 from"],
    ["a web page", () => html, "the server must answer with the file, got a web page from"],
    ["a pointer", () => serve(Buffer.from(POINTER)), "bytes, got a pointer of Git LFS from"],
    [
      "a pointer of no length",
      () => (_, response) => {
        response.write(POINTER);
        response.end();
      },
      "bytes, got a pointer of Git LFS from",
    ],
  ])("%s in place of weights", async (_, answer, message) => {
    const { endpoint } = await hubServer(FILES, { first: { "model.safetensors": [answer()] } });
    expect((await failure(endpoint)).message).toContain(message);
    expectNone();
    expect(Object.keys(filesOf(folder)).filter((name) => name.startsWith("model.safe"))).toEqual([]);
    await get(endpoint);
    expectWhole();
  });

  test("a small file of other bytes, by git's checksum", async () => {
    const other = Buffer.from(FILES["config.json"]!.toString().replace("bert", "berd"));
    const { endpoint } = await hubServer(FILES, { first: { "config.json": [serve(other)] } });
    const { blobId } = sibling("config.json", FILES["config.json"]!);
    expect((await failure(endpoint)).message).toContain(`the file must have git blob id ${blobId}, got`);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["no commit", { sha: "../.." }, "no commit"],
    ["no files", { siblings: {} }, "no list of files"],
    ["a name that leaves the folder", { siblings: [{ rfilename: "../config.json" }] }, '"../config.json"'],
    ["one of Windows", { siblings: [{ rfilename: "..\\config.json" }] }, 'a file named "..'],
    ["a whole path", { siblings: [{ rfilename: "/etc/passwd" }] }, 'a file named "/etc/passwd"'],
    ["no name", { siblings: [{ size: 3 }] }, "a file without a name"],
  ])("a hub that says %s", async (_, says, got) => {
    const { endpoint } = await hubServer(FILES, { says });
    const { message } = await failure(endpoint);
    expect(message).toContain("the hub must answer with its JSON of a model, got");
    expect(message).toContain(got);
    expect(readdirSync(cache)).toEqual([]);
  });

  test("a file whose length or checksum the hub does not say", async () => {
    const list = Object.entries(FILES).map(([name, content]) => sibling(name, content));
    const without = (key: string) => list.map(({ [key]: _, ...rest }) => rest);
    const lengthless = await hubServer(FILES, { says: { siblings: without("size") } });
    expect((await failure(lengthless.endpoint)).message).toContain('no length of "config.json"');
    const blind = await hubServer(FILES, { says: { siblings: without("blobId") } });
    expect((await failure(blind.endpoint)).message).toContain('no checksum of "config.json"');
  });

  test("an answer that is a web page, no JSON, or hostile JSON", async () => {
    const answers: [Answer, string][] = [
      [html, "got a web page from"],
      [json("{"), "text that is no JSON"],
      [json("[]"), "another value"],
      [json("[".repeat(99)), "brackets more than 64 deep"],
    ];
    for (const [answer, message] of answers) {
      const { endpoint } = await hubServer(FILES, { first: { api: [answer] } });
      expect((await failure(endpoint)).message).toContain(message);
    }
  });

  test("a model for which the disk has no room, before any of it comes", async () => {
    const config = sibling("config.json", FILES["config.json"]!);
    const huge = { ...sibling("model.safetensors", FILES["model.safetensors"]!), lfs: undefined };
    const siblings = [config, { ...huge, size: 2 ** 52 }];
    const { endpoint, asked } = await hubServer(FILES, { says: { siblings } });
    const error = await failure(endpoint);
    expect(error.code).toBe("UNWRITABLE");
    expect(error.message).toMatch(/must have room for 4503599627370496 bytes, got \d+ free; free space, or/);
    expect(asked()).toEqual(["config.json"]);
  });

  test("a model that heed does not compute, before its weights come", async () => {
    const config = Buffer.from('{"model_type":"mamba"}');
    const { endpoint, asked } = await hubServer({ ...FILES, "config.json": config });
    expect((await failure(endpoint)).message).toMatch(
      /^fetchModel: model_type must be one of bert, .*, got "mamba"; choose/,
    );
    expect(asked()).toEqual(["config.json"]);
  });

  test("to go on when it is stopped, and goes on from there the next time", async () => {
    const content = FILES["model.safetensors"]!;
    const stop = new AbortController();
    const half: Answer = (request, response) => {
      response.setHeader("content-length", content.length - firstByte(request));
      response.write(content.subarray(0, 1009), () => setTimeout(() => stop.abort(), 100));
    };
    const { endpoint, requests } = await hubServer(FILES, { first: { "model.safetensors": [half] } });
    expect((await failure(endpoint, { signal: stop.signal })).details.stopped).toBe(true);
    expectNone();
    await get(endpoint);
    expectWhole();
    expect(requests.map(({ range }) => range).filter(Boolean)).toEqual(["bytes=1009-"]);
  });
});

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 99999\n`;
