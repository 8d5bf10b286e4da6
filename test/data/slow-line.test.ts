import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { HeedError } from "../../src/core/errors.ts";
import { type DownloadOptions, download } from "../../src/data/download.ts";
import { fileServerUntil, serve } from "./file-server.ts";

const CONTENT = createHash("shake256", { outputLength: 70_001 }).update("content").digest();
const sha256 = createHash("sha256").update(CONTENT).digest("hex");
const EXPECTED = { bytes: CONTENT.length, sha256, retryDelayMs: 1 };

const folder = mkdtempSync(join(tmpdir(), "heed-slow-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const ownFile = () => join(folder, `${++files}.part`);

type Options = Partial<DownloadOptions> & { path: string };
const get = (url: string, { path, ...options }: Options) => download(path, { ...EXPECTED, url, ...options });
const failure = (url: string, options: Options) =>
  get(url, options).then(
    () => expect.fail("the download succeeded"),
    (error: HeedError) => error,
  );

/** These wait for real time, all at once: each has a file of its own. */
describe.concurrent("a slow line", () => {
  test("waits for a slow line as long as it brings something", async ({ onTestFinished }) => {
    const path = ownFile();
    const { url, requests } = await fileServerUntil(onTestFinished, async (_, response) => {
      response.setHeader("content-length", CONTENT.length);
      for (let from = 0; from < CONTENT.length; from += 9001) {
        response.write(CONTENT.subarray(from, from + 9001));
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      response.end();
    });
    const start = performance.now();
    await get(url, { path, silenceMs: 2000 });
    expect(performance.now() - start).toBeGreaterThan(2000);
    expect(requests).toEqual([undefined]);
  });

  test("asks again when the line falls silent", async ({ onTestFinished }) => {
    const path = ownFile();
    const { url, requests } = await fileServerUntil(
      onTestFinished,
      (_, response) => void response.write("x"),
      serve(CONTENT),
    );
    const error = await failure(url, { path, silenceMs: 500, attempts: 1, leastBytesPerSecond: 0 });
    expect(error.message).toContain("(the last: no byte for 500 ms)");
    // On a busy machine the one byte may not have come either.
    rmSync(path, { force: true });
    await get(url, { path, silenceMs: 20_000 });
    expect(readFileSync(path)).toEqual(CONTENT);
    expect(requests).toHaveLength(2);
  });

  test("counts as a silent one, and what came is kept for the next request", async ({ onTestFinished }) => {
    const path = ownFile();
    const { url, requests } = await fileServerUntil(
      onTestFinished,
      (_, response) => {
        response.setHeader("content-length", CONTENT.length);
        response.write(CONTENT.subarray(0, 1000));
        let sent = 1000;
        const timer = setInterval(() => response.write(CONTENT.subarray(sent, ++sent)), 50);
        response.on("close", () => clearInterval(timer));
      },
      serve(CONTENT),
    );
    // 1,000 bytes at once are enough for the first second; then a byte comes each 50 ms, and the line is never silent.
    await get(url, { path, silenceMs: 1000, leastBytesPerSecond: 1000 });
    expect(readFileSync(path)).toEqual(CONTENT);
    expect(requests[0]).toBeUndefined();
    expect(requests).toHaveLength(2);
    expect(Number(/^bytes=(\d+)-$/.exec(requests[1]!)![1])).toBeGreaterThanOrEqual(1000);
  });

  test("is named in the error when no request is left", async ({ onTestFinished }) => {
    const path = ownFile();
    const { url } = await fileServerUntil(onTestFinished, (_, response) => {
      response.setHeader("content-length", CONTENT.length);
      const timer = setInterval(() => response.write("x"), 50);
      response.on("close", () => clearInterval(timer));
    });
    const error = await failure(url, { path, silenceMs: 1000, attempts: 1 });
    expect(error.message).toMatch(/\(the last: (?:no more than \d+ bytes in|no byte for) 1000 ms\)/);
  });
});
