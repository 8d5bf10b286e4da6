import { mkdirSync, readdirSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { fetchModel } from "../../../../src/tasks/pretrained/hub/fetch-model.ts";
import { firstByte, serve, status } from "../../../data/file-server.ts";
import { expectNone, expectWhole, failure, get, repositoryFiles, useCache } from "./fixture.ts";
import { type Answer, COMMIT, filesOf, hubServer, json, MODEL, sibling } from "./hub-server.ts";

const FILES = repositoryFiles();
const cache = useCache();

const html: Answer = (_, response) =>
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<html>sign in</html>");

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 99999\n`;

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
    expect(readdirSync(cache.root)).toEqual([]);
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
    expectNone(cache);
  });

  test.each([
    ["seconds", () => "3600"],
    ["a date", () => new Date(Date.now() + 3_600_000).toUTCString()],
  ])("a server that wants to be left alone for long, and says how long (%s)", async (_, after) => {
    const { endpoint } = await hubServer(FILES, {
      first: { api: [status(429, { "retry-after": after() })] },
    });
    const { message, details } = await failure(endpoint);
    expect(message).toContain("the server must take a request within 120 s, got status 429 from");
    expect(message).toMatch(
      /to be asked again in 3(?:600|59\d) s; run the same command then, it begins again$/,
    );
    expect(details.seconds).toBeGreaterThanOrEqual(3590);
  });

  test("redirects without end, and one to no address", async () => {
    const round = status(302, { location: `/${MODEL}/resolve/${COMMIT}/config.json` });
    const circle = await hubServer(FILES, { first: { "config.json": Array(20).fill(round) } });
    expect((await failure(circle.endpoint)).message).toContain("got more than 10 redirects from");
    expect(circle.asked()).toHaveLength(11);
    const away = status(302, { location: "file:///etc/passwd" });
    const { endpoint } = await hubServer(FILES, { first: { "config.json": [away] } });
    expect((await failure(endpoint)).message).toContain(
      "got file:///etc/passwd; correct it, or set HF_ENDPOINT",
    );
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
    expectNone(cache);
    expect(Object.keys(filesOf(cache.folder)).filter((name) => name.startsWith("model.safe"))).toEqual([]);
    await get(endpoint);
    expectWhole(cache, FILES);
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
    expect(readdirSync(cache.root)).toEqual([]);
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

  test("no model whose larger part is on the disk already", async () => {
    const { bavail, bsize } = statfsSync(cache.root);
    const whole = bavail * bsize + 1e12;
    const config = sibling("config.json", FILES["config.json"]!);
    const weights = sibling("model.safetensors", FILES["model.safetensors"]!);
    const lfs = { ...(weights.lfs as object), size: whole };
    const { endpoint } = await hubServer(FILES, { says: { siblings: [config, { ...weights, lfs }] } });
    mkdirSync(cache.folder, { recursive: true });
    // It has this length, and takes no room.
    const file = path.join(cache.folder, "model.safetensors.part");
    writeFileSync(file, "");
    truncateSync(file, whole - 1e6);
    expect((await failure(endpoint, { attempts: 1 })).message).toContain("(the last: no such bytes)");
    expect((await failure(endpoint, { attempts: 1 })).code).toBe("UNWRITABLE");
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
    expectNone(cache);
    await get(endpoint);
    expectWhole(cache, FILES);
    expect(requests.map(({ range }) => range).filter(Boolean)).toEqual(["bytes=1009-"]);
  });
});
