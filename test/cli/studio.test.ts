import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { expect, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { hasScreen } from "../../src/cli/studio/browser.ts";
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
