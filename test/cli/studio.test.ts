import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { run } from "../../src/cli/program.ts";
import { hasScreen } from "../../src/cli/studio/browser.ts";
import { MODEL_RECORD } from "../../src/data/locate-model.ts";
import { writeModelFolder } from "../tasks/pretrained/fixture.ts";
import { fakeIo } from "./fake-io.ts";

const root = path.resolve(import.meta.dirname, "../..");

/** `heed studio` as a process, once it has printed where it is. */
async function started(...args: string[]) {
  const child = spawn(process.execPath, [path.join(root, "dist/cli/main.js"), "studio", ...args], {
    env: { ...process.env, DISPLAY: "" },
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    err += text;
  });
  const ended = once(child, "exit") as Promise<[number | null, string | null]>;
  while (!out.includes("Ctrl-C")) await Promise.race([once(child.stdout, "data"), ended]);
  const [, url] = /at (http:\S+)/.exec(out)!;
  return { child, url: url!, out: () => out, err: () => err, ended };
}

test("heed studio prints its address, serves the pages, traces and weights, and ends with Ctrl-C", async () => {
  const trace = path.join(root, "studio/public/traces/translation.attn");
  const { child, url, out, ended } = await started("--port", "0", trace);
  expect(out()).toMatch(/^The studio is at http:\/\/127\.0\.0\.1:\d+\/#d=opened-0\nCtrl-C ends it\.\n$/);
  const at = (address: string) => fetch(new URL(address, url), { method: "HEAD" });
  for (const address of [
    ...["/", "/playground.html", "/learn.html", "/traces/traces.json", "/traces/translation.attn"],
    ...["/weights/tracking/model.safetensors", "/opened/0/translation.attn", "/api/opened"],
  ])
    expect((await at(address)).status, address).toBe(200);
  expect((await at("/weights/tracking/../../package.json")).status).toBe(404);
  child.kill("SIGINT");
  expect(await ended).toEqual([0, null]);
});

test("heed studio opens a model that was fetched by its name, and says how to fetch one that was not", async () => {
  const cache = mkdtempSync(path.join(tmpdir(), "heed-studio-"));
  const folder = path.join(cache, "heed/models/heed-test/tiny-bert");
  writeModelFolder(folder);
  const record = { name: "heed-test/tiny-bert", revision: "main", commit: "0".repeat(40), files: [] };
  writeFileSync(path.join(folder, MODEL_RECORD), JSON.stringify(record));
  vi.stubEnv("XDG_CACHE_HOME", cache);
  vi.stubEnv("HF_ENDPOINT", "https://mirror.test/");
  const { child, url, ended } = await started("--port", "0", "heed-test/tiny-bert");
  const [place] = (await (await fetch(new URL("/api/opened", url))).json()) as {
    name: string;
    files: object[];
  }[];
  expect(place?.name).toBe("tiny-bert");
  expect((await fetch(new URL("/opened/0/config.json", url))).status).toBe(200);
  const hub = await fetch(new URL("/api/hub", url));
  expect(await hub.json()).toEqual({ endpoint: "https://mirror.test" });
  const policy = (await fetch(url)).headers.get("content-security-policy");
  expect(policy).toContain(
    "connect-src 'self' blob: data: https://mirror.test https://huggingface.co https://*.huggingface.co https://*.hf.co;",
  );
  child.kill("SIGINT");
  expect(await ended).toEqual([0, null]);
  const io = fakeIo();
  expect(await run(["studio", "heed-test/other"], io)).toBe(2);
  expect(io.err()).toBe(
    'heed studio: heed-test/other must be a folder, a file of weights, or a model of the cache, got nothing of that name; run "heed models fetch heed-test/other", or check the path\n',
  );
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

test("heed studio says that another port is free where its own is taken", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  const { child, url, err, ended } = await started("--no-open", "--port", String(port));
  const own = Number(new URL(url).port);
  expect(own).toBeGreaterThan(port);
  expect(err()).toBe(`heed studio: port ${port} is taken, ${own} is free\n`);
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  other.close();
});

test("heed studio refuses what it cannot open, in one line", async () => {
  for (const [args, message] of [
    [["none.attn"], "heed studio: none.attn must be readable, got no such file; check the name\n"],
    [
      ["--port", "x"],
      'heed studio: --port must be a whole number from 0 to 65535, got "x"; try --port 8080\n',
    ],
  ] as const) {
    const io = fakeIo();
    expect(await run(["studio", ...args], io)).toBe(2);
    expect(io.err()).toBe(message);
    expect(io.out()).toBe("");
  }
});

test("a browser is opened where there is a screen", () => {
  expect(hasScreen({ DISPLAY: ":0" }, "linux")).toBe(true);
  expect(hasScreen({ WAYLAND_DISPLAY: "wayland-0" }, "linux")).toBe(true);
  expect(hasScreen({}, "linux")).toBe(false);
  expect(hasScreen({}, "darwin")).toBe(true);
  expect(hasScreen({ DISPLAY: ":0", CI: "1" }, "linux")).toBe(false);
});
