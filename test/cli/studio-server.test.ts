import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rangeOf } from "../../src/cli/studio/byte-range.ts";
import { namesOf } from "../../src/cli/studio/folders.ts";
import { openPlaces } from "../../src/cli/studio/opened.ts";
import { type StudioServer, startStudioServer } from "../../src/cli/studio/server.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

let folder = "";
let server: StudioServer;

/** A request as it is written: `fetch` would put the path right first. */
function ask(address: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: server.port, path: address, method, headers, agent: false };
    const asked = request(options, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () =>
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: Buffer.concat(parts),
        }),
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}

const status = async (...args: Parameters<typeof ask>) => (await ask(...args)).status;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "heed-studio-"));
  for (const name of ["pages/assets", "pages/inner", "model", "elsewhere"])
    mkdirSync(path.join(folder, name), { recursive: true });
  const files: Record<string, string> = {
    "pages/index.html": "<!doctype html>the studio",
    "pages/inner/index.html": "inner",
    "pages/assets/app-AbCd1234.js": "export const a = 1;\n".repeat(100),
    "pages/.hidden": "hidden",
    "model/model.safetensors": "0123456789",
    "model/config.json": "{}",
    "model/.secret": "secret",
    "secret.txt": "secret",
    "elsewhere/secret.txt": "secret",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  symlinkSync(path.join(folder, "secret.txt"), path.join(folder, "pages/link.txt"));
  symlinkSync(path.join(folder, "elsewhere"), path.join(folder, "pages/out"));
  symlinkSync(path.join(folder, "pages/index.html"), path.join(folder, "pages/within.html"));
  const opened = openPlaces("heed studio", [
    path.join(folder, "model"),
    path.join(folder, "model/config.json"),
  ]);
  const folders = [...opened.folders, { prefix: "", folder: path.join(folder, "pages") }];
  server = await startStudioServer({ folders, opened: opened.places, port: 0 });
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

describe("the studio's server", () => {
  test("answers with pages, isolated and under a policy", async () => {
    const { status, headers, body } = await ask("/");
    expect([status, body.toString()]).toEqual([200, "<!doctype html>the studio"]);
    expect(headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "no-cache",
    });
    expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self'/);
    expect(headers["content-security-policy"]).not.toContain("'unsafe-eval'");
    const worker = await ask("/assets/worker-0a1b2c3d.js");
    expect(worker.headers["content-security-policy"]).toContain("'unsafe-eval'");
    expect(headers["access-control-allow-origin"]).toBeUndefined();
    expect((await ask("/inner/")).body.toString()).toBe("inner");
    expect((await ask("/index.html?x=1")).status).toBe(200);
  });

  test("gives nothing outside its folders, whatever the address says", async () => {
    const addresses = [
      "/../secret.txt",
      "/..%2fsecret.txt",
      "/%2e%2e/secret.txt",
      "/%2e%2e%2fsecret.txt",
      "/..%5csecret.txt",
      "/assets/../../secret.txt",
      "/assets/%2e%2e/%2e%2e/secret.txt",
      "//etc/passwd",
      "/%00",
      "/index.html%00.js",
      "/%c0%ae%c0%ae/secret.txt",
      "/%",
      "/.hidden",
      "/link.txt",
      "/out/secret.txt",
      "/opened/0/.secret",
      "/opened/0/../secret.txt",
      "/opened/0/..%2fsecret.txt",
      "/opened/1/model.safetensors",
      "/opened/2/config.json",
      "/opened/0/",
      "/assets",
      "/none.js",
      "http://127.0.0.1/secret.txt",
    ];
    const found = await Promise.all(addresses.map(async (address) => [address, await status(address)]));
    expect(found).toEqual(addresses.map((address) => [address, 404]));
    expect(await status("/within.html"), "a link that stays inside is a file").toBe(200);
  });

  test("answers to its own name alone, and to its own pages", async () => {
    const { port } = server;
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `LOCALHOST:${port}`])
      expect(await status("/", { host }), host).toBe(200);
    for (const host of ["evil.example", `evil.example:${port}`, "localhost", `127.0.0.1:${port + 1}`])
      expect(await status("/", { host }), host).toBe(403);
    for (const origin of ["http://evil.example", "null", `https://127.0.0.1:${port}`])
      expect(await status("/", { origin }), origin).toBe(403);
    expect(await status("/", { origin: `http://127.0.0.1:${port}` })).toBe(200);
  });

  test("only reads", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const { status, headers } = await ask("/", {}, method);
      expect([status, headers.allow], method).toEqual([405, "GET, HEAD"]);
    }
    const { status, headers, body } = await ask("/opened/0/model.safetensors", {}, "HEAD");
    expect([status, headers["content-length"], body.length]).toEqual([200, "10", 0]);
  });

  test("lists and gives what was opened", async () => {
    const { headers, body } = await ask("/api/opened");
    expect(headers["cache-control"]).toBe("no-store");
    expect(JSON.parse(body.toString())).toEqual([
      {
        name: "model",
        kind: "folder",
        files: [
          { name: "config.json", address: "opened/0/config.json", bytes: 2 },
          { name: "model.safetensors", address: "opened/0/model.safetensors", bytes: 10 },
        ],
      },
      {
        name: "config.json",
        kind: "file",
        files: [{ name: "config.json", address: "opened/1/config.json", bytes: 2 }],
      },
    ]);
    expect((await ask("/opened/0/model.safetensors")).body.toString()).toBe("0123456789");
    expect((await ask("/opened/1/config.json")).body.toString()).toBe("{}");
  });

  test("gives ranges of bytes", async () => {
    const part = async (range: string) => {
      const { status, headers, body } = await ask("/opened/0/model.safetensors", { range });
      return [status, headers["content-range"], body.toString()];
    };
    expect(await part("bytes=2-4")).toEqual([206, "bytes 2-4/10", "234"]);
    expect(await part("bytes=7-")).toEqual([206, "bytes 7-9/10", "789"]);
    expect(await part("bytes=-3")).toEqual([206, "bytes 7-9/10", "789"]);
    expect(await part("bytes=8-99")).toEqual([206, "bytes 8-9/10", "89"]);
    expect((await part("bytes=10-"))[1]).toBe("bytes */10");
    expect((await part("bytes=10-"))[0]).toBe(416);
    expect((await part("bytes=5-2"))[0]).toBe(416);
    expect((await part("bytes=0-1,4-5"))[2], "of several the whole").toBe("0123456789");
    const headers = { range: "bytes=2-4", "if-range": '"other"' };
    expect(await status("/opened/0/model.safetensors", headers), "of another file the whole").toBe(200);
    expect(rangeOf("bytes=-0", 10)).toBe("none");
    expect(rangeOf("bytes=-", 10)).toBeUndefined();
    expect(rangeOf("bytes=0-", 0)).toBe("none");
  });

  test("says what has not changed, keeps what never changes, and packs text", async () => {
    const { headers } = await ask("/assets/app-AbCd1234.js");
    expect(headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    const again = await ask("/assets/app-AbCd1234.js", { "if-none-match": `"x", ${headers.etag}` });
    expect([again.status, again.body.length]).toEqual([304, 0]);
    const packed = await ask("/assets/app-AbCd1234.js", { "accept-encoding": "br, gzip" });
    expect(packed.headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept-Encoding" });
    expect(gunzipSync(packed.body).toString()).toBe("export const a = 1;\n".repeat(100));
    expect(packed.body.length).toBeLessThan(100);
  });

  test("takes the next port where one is taken", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const second = await startStudioServer({ folders: [], opened: [], port });
    expect(second.port).toBeGreaterThan(port);
    expect(second.port).toBeLessThanOrEqual(port + 20);
    await second.close();
    other.close();
  });

  test("knows the names of an address", () => {
    expect(namesOf("/a/b%20c?d#e")).toEqual(["a", "b c"]);
    expect(namesOf("a")).toBeUndefined();
    expect(namesOf("/a/%2Fb")).toBeUndefined();
  });
});
