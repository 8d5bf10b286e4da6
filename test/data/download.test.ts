import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DownloadError, type HeedError } from "../../src/core/errors.ts";
import { type DownloadOptions, type DownloadProgress, download } from "../../src/data/download.ts";
import { fileServer, serve, status } from "./file-server.ts";

const CONTENT = createHash("shake256", { outputLength: 70_001 }).update("content").digest();
const OTHER = createHash("shake256", { outputLength: 70_001 }).update("other").digest();
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const EXPECTED = { bytes: CONTENT.length, sha256: sha256(CONTENT), retryDelayMs: 1 };

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "heed-download-"));
  path = join(folder, "file.part");
});
afterEach(() => rmSync(folder, { recursive: true }));

const get = (url: string, options: Partial<DownloadOptions> = {}) =>
  download(path, { ...EXPECTED, url, ...options });
const failure = (url: string, options: Partial<DownloadOptions> = {}) =>
  get(url, options).then(
    () => expect.fail("the download succeeded"),
    (error: HeedError) => error,
  );

describe("download", () => {
  test("brings the file and says how far it is", async () => {
    const { url, requests } = await fileServer(serve(CONTENT));
    const progress: DownloadProgress[] = [];
    await get(url, { onProgress: (p) => progress.push(p) });
    expect(readFileSync(path)).toEqual(CONTENT);
    expect(requests).toEqual([undefined]);
    expect(progress[0]).toEqual({ received: 0, total: 70_001 });
    expect(progress.at(-1)).toEqual({ received: 70_001, total: 70_001 });
    const received = progress.map((p) => p.received);
    expect(received).toEqual(received.toSorted((a, b) => a - b));
  });

  test("goes on at the byte where the line was cut", async () => {
    const cut = serve(CONTENT, { cutAfter: 20_011, etag: '"v1"' });
    const { url, requests } = await fileServer(cut, cut, serve(CONTENT, { etag: '"v1"' }));
    await get(url);
    expect(readFileSync(path)).toEqual(CONTENT);
    expect(requests).toEqual([undefined, "bytes=20011-", "bytes=40022-"]);
  });

  test("goes on from what an earlier run left", async () => {
    writeFileSync(path, CONTENT.subarray(0, 30_011));
    const { url, requests } = await fileServer(serve(CONTENT));
    await get(url);
    expect(readFileSync(path)).toEqual(CONTENT);
    expect(requests).toEqual(["bytes=30011-"]);
  });

  test("asks for nothing when the earlier run had everything", async () => {
    writeFileSync(path, CONTENT);
    const { url, requests } = await fileServer(status(500));
    await get(url);
    expect(requests).toEqual([]);
  });

  test("begins again when the server ignores the range", async () => {
    writeFileSync(path, CONTENT.subarray(0, 30_011));
    const { url, requests } = await fileServer(serve(CONTENT, { ignoreRange: true }));
    await get(url);
    expect(readFileSync(path)).toEqual(CONTENT);
    expect(requests).toEqual(["bytes=30011-"]);
  });

  test("begins again when the file changed between two requests (ETag)", async () => {
    const old = serve(OTHER, { cutAfter: 20_011, etag: '"v1"' });
    const { url, requests } = await fileServer(old, serve(CONTENT, { etag: '"v2"' }));
    await get(url);
    expect(readFileSync(path)).toEqual(CONTENT);
    expect(requests).toEqual([undefined, "bytes=20011-"]);
  });

  test("begins again when the server joins versions in spite of If-Range", async () => {
    const old = serve(OTHER, { cutAfter: 20_011, etag: '"v1"' });
    const careless = serve(CONTENT, { etag: '"v2"' });
    const { url, requests } = await fileServer(old, (request, response) => {
      delete request.headers["if-range"];
      careless(request, response);
    });
    await get(url);
    expect(readFileSync(path)).toEqual(CONTENT);
    expect(requests).toEqual([undefined, "bytes=20011-", undefined]);
  });

  test("begins again when the bytes on disk were of another file", async () => {
    writeFileSync(path, OTHER.subarray(0, 30_011));
    const { url, requests } = await fileServer(serve(CONTENT));
    await get(url);
    expect(readFileSync(path)).toEqual(CONTENT);
    expect(requests).toEqual(["bytes=30011-", undefined]);
  });

  test("begins again when there are more bytes on disk than there should be", async () => {
    writeFileSync(path, Buffer.concat([CONTENT, OTHER]));
    const { url, requests } = await fileServer(serve(CONTENT));
    await get(url);
    expect(readFileSync(path)).toEqual(CONTENT);
    expect(requests).toEqual(["bytes=140002-", undefined]);
  });

  test.each([408, 429, 500, 503])("asks again after status %i", async (code) => {
    const { url, requests } = await fileServer(status(code), serve(CONTENT));
    await get(url);
    expect(readFileSync(path)).toEqual(CONTENT);
    expect(requests).toHaveLength(2);
  });

  test("follows a redirect", async () => {
    const { url: target } = await fileServer(serve(CONTENT));
    const { url } = await fileServer(status(302, { location: target }));
    await get(url);
    expect(readFileSync(path)).toEqual(CONTENT);
  });
});

describe("download refuses", () => {
  test.each([
    ["no address", "mirror", "mirror"],
    ["a protocol of another kind", "ftp://example.org/file.zip", "ftp://example.org/file.zip"],
    ["a file", "file:///etc/passwd", "file:///etc/passwd"],
    ["a password in it", "http://me:secret@127.0.0.1/x", "a name or password in that of 127.0.0.1"],
    [
      "a port that no browser asks",
      "http://127.0.0.1:9/x",
      "fetch failed (bad port) for http://127.0.0.1:9/x",
    ],
  ])("%s, at once and once", async (_, url, got) => {
    const begin = performance.now();
    const error = await failure(url, { retryDelayMs: 60_000 });
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(error.code).toBe("DOWNLOAD");
    expect(error.message).toBe(
      `download: the address must be one that a server can answer, http: or https:, got ${got}; correct it, or name a ` +
        "mirror with --url",
    );
  });

  test("a status that no second request would change", async () => {
    const { url, requests } = await fileServer(status(404));
    const error = await failure(url);
    expect(error).toBeInstanceOf(DownloadError);
    expect(error.message).toBe(
      `download: the server must answer 200 or 206, got 404 for ${url}; try later, or name a mirror with --url`,
    );
    expect(requests).toHaveLength(1);
    expect(existsSync(path)).toBe(false);
  });

  test("a file of another length, before reading it, and keeps what it had", async () => {
    writeFileSync(path, CONTENT.subarray(0, 30_011));
    const { url } = await fileServer(serve(CONTENT.subarray(0, 50_021), { ignoreRange: true }));
    const error = await failure(url);
    expect(error.message).toBe(
      `download: the file must have 70001 bytes, got 50021 from ${url}, and none of them was kept; that address ` +
        "serves another file, name a mirror with --url",
    );
    expect(readFileSync(path)).toEqual(CONTENT.subarray(0, 30_011));
  });

  test("a longer file that does not say its length", async () => {
    const { url } = await fileServer((_, response) => void response.end(Buffer.concat([CONTENT, OTHER])));
    const error = await failure(url);
    expect(error.code).toBe("MISMATCH");
    expect(existsSync(path)).toBe(false);
  });

  test("a file without end", async () => {
    const { url } = await fileServer((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(OTHER));
      };
      response.on("drain", more);
      more();
    });
    const error = await failure(url);
    expect(error.code).toBe("MISMATCH");
    expect(existsSync(path)).toBe(false);
  });

  test("a server that promises more than it sends, after as many requests as it may", async () => {
    const short = serve(CONTENT.subarray(0, 50_021), {
      contentLength: 70_001,
      ignoreRange: true,
      cutAfter: 50_021,
    });
    const { url, requests } = await fileServer(short);
    const error = await failure(url, { attempts: 3 });
    expect(error.code).toBe("DOWNLOAD");
    expect(error.message).toMatch(
      new RegExp(
        `^download: 3 requests must bring all 70001 bytes, got 50021 from ${url} \\(the last: .+\\); check the network ` +
          "and run the same command, it goes on from there$",
      ),
    );
    expect(requests).toHaveLength(3);
    expect(readFileSync(path)).toEqual(CONTENT.subarray(0, 50_021));
  });

  test("the right length with the wrong bytes, and removes them", async () => {
    const { url, requests } = await fileServer(serve(OTHER));
    const error = await failure(url);
    expect(error.message).toBe(
      `download: the file must have sha256 ${sha256(CONTENT)}, got ${sha256(OTHER)} from ${url}, so it was removed; ` +
        "try again, or name a mirror with --url",
    );
    expect(requests).toHaveLength(1);
    expect(existsSync(path)).toBe(false);
  });

  test("to go on after a stop, and keeps what came", async () => {
    const { url } = await fileServer((_, response) => {
      response.setHeader("content-length", CONTENT.length);
      response.write(CONTENT.subarray(0, 20_011));
    });
    const stop = new AbortController();
    const onProgress = ({ received }: DownloadProgress) => {
      if (received >= 20_011) stop.abort();
    };
    const error = await failure(url, { signal: stop.signal, onProgress });
    expect(error.message).toBe(
      `download: all 70001 bytes must come, got 20011 from ${url} before it was stopped; run the same command, it ` +
        "goes on from there",
    );
    expect(readFileSync(path)).toEqual(CONTENT.subarray(0, 20_011));
  });

  test("to begin when it was stopped before", async () => {
    const { url, requests } = await fileServer(serve(CONTENT));
    expect((await failure(url, { signal: AbortSignal.abort() })).code).toBe("DOWNLOAD");
    expect(requests).toEqual([]);
  });

  test("an address where nobody answers, and says why", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const error = await failure(`http://127.0.0.1:${port}/file`, { attempts: 2 });
    expect(error.code).toBe("DOWNLOAD");
    expect(error.message).toMatch(/got 0 from .* \(the last: fetch failed \(connect ECONNREFUSED .+\)\)/);
  });
});
