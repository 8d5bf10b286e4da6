import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../../src/core/safetensors.ts";
import {
  type CheckpointContent,
  decodeCheckpoint,
  encodeCheckpoint,
  loadLatestCheckpoint,
  saveCheckpoint,
} from "../../src/train/checkpoint.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "heed-checkpoint-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const name = (step: number) => `checkpoint-${String(step).padStart(9, "0")}.safetensors`;
const content = (value: number): CheckpointContent => ({
  tensors: { w: { dtype: "F32", shape: [3], data: new Float32Array([value, -0, 1e-45]) } },
  state: { value, notes: ["é", null, 0.1 + 0.2] },
});

describe("saveCheckpoint", () => {
  it("keeps the newest two and gives the last back exactly", async () => {
    for (const step of [9, 10, 100]) await saveCheckpoint(folder, step, content(step));
    expect((await readdir(folder)).sort()).toEqual([name(10), name(100)]);
    const { checkpoint, skipped } = await loadLatestCheckpoint(folder);
    expect(skipped).toEqual([]);
    expect(checkpoint).toMatchObject({ step: 100, path: join(folder, name(100)), state: content(100).state });
    expect(Object.is(checkpoint!.tensors.w!.data[1], -0)).toBe(true);
    expect(checkpoint!.tensors.w!.data).toEqual(new Float32Array([100, -0, 1e-45]));
  });

  it("makes the folder, and a file that any reader of safetensors opens", async () => {
    const path = await saveCheckpoint(join(folder, "a", "b"), 7, content(7));
    const { tensors, metadata } = decodeSafetensors(await readFile(path));
    expect(tensors.w!.shape).toEqual([3]);
    expect(JSON.parse(metadata.state!)).toEqual(content(7).state);
  });

  it("leaves checkpoints of later steps alone and removes what a killed save left", async () => {
    await saveCheckpoint(folder, 30, content(30));
    await writeFile(join(folder, ".checkpoint-31.12345.tmp"), "half");
    await writeFile(join(folder, "notes.txt"), "mine");
    for (const step of [11, 12, 13]) await saveCheckpoint(folder, step, content(step), { keep: 1 });
    expect((await readdir(folder)).sort()).toEqual([name(13), name(30), "notes.txt"]);
  });

  it("refuses numbers that JSON would turn into null", async () => {
    await expect(saveCheckpoint(folder, 1, { tensors: {}, state: { best: -Infinity } })).rejects.toThrow(
      'checkpoint: every number of the state must be finite, got -Infinity for "best"; save null in its place',
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it("refuses a step or a number to keep that is not whole", async () => {
    await expect(saveCheckpoint(folder, 1.5, content(1))).rejects.toThrow(
      "saveCheckpoint: step must be a whole number from 0, got 1.5; pass another value",
    );
    await expect(saveCheckpoint(folder, 1, content(1), { keep: 0 })).rejects.toThrow(
      "saveCheckpoint: keep must be a whole number from 1, got 0; pass another value",
    );
  });

  it("names the file when the folder cannot be written", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(saveCheckpoint(join(folder, "file"), 1, content(1))).rejects.toMatchObject({
      name: "FileError",
      code: "UNWRITABLE",
      details: { action: "written", path: join(folder, "file", name(1)) },
    });
  });
});

describe("loadLatestCheckpoint", () => {
  it("finds nothing in a folder that is empty or missing", async () => {
    expect(await loadLatestCheckpoint(folder)).toEqual({ checkpoint: undefined, skipped: [] });
    expect((await loadLatestCheckpoint(join(folder, "none"))).checkpoint).toBeUndefined();
  });

  it("passes over the newest when it is cut at any of many lengths, and says so", async () => {
    await saveCheckpoint(folder, 1, content(1));
    const path = await saveCheckpoint(folder, 2, content(2));
    const whole = await readFile(path);
    for (let length = 0; length < whole.length; length += length < 130 ? 1 : 7) {
      await writeFile(path, whole.subarray(0, length));
      const { checkpoint, skipped } = await loadLatestCheckpoint(folder);
      expect(checkpoint?.step).toBe(1);
      expect(skipped.map((s) => s.path)).toEqual([path]);
      expect(skipped[0]!.reason).toMatch(/^checkpoint: the file must have the SHA-256 written in it/);
    }
  });

  it("refuses one under another's name, and one that does not say its step", async () => {
    await saveCheckpoint(folder, 40, content(40));
    const renamed = join(folder, name(50));
    await rename(await saveCheckpoint(folder, 41, content(41)), renamed);
    const { checkpoint, skipped } = await loadLatestCheckpoint(folder);
    expect(checkpoint!.step).toBe(40);
    const reason = "checkpoint: the file must be of step 50, as its name says, got 41; give it back its name";
    expect(skipped).toEqual([{ path: renamed, reason }]);
    const bytes = encodeSafetensors({}, { sha256: "0".repeat(64), state: "null" });
    const sum = createHash("sha256").update(bytes).digest("hex");
    bytes.set(new TextEncoder().encode(sum), 8 + '{"__metadata__":{"sha256":"'.length);
    expect(() => decodeCheckpoint(bytes)).toThrow(
      "checkpoint: the file must say its step, got none; use one that this heed wrote",
    );
  });

  it("says that none is whole when all are damaged", async () => {
    for (const step of [1, 2]) await writeFile(await saveCheckpoint(folder, step, content(step)), "");
    const { checkpoint, skipped } = await loadLatestCheckpoint(folder);
    expect(checkpoint).toBeUndefined();
    expect(skipped.map((s) => s.path)).toEqual([join(folder, name(2)), join(folder, name(1))]);
  });

  it("leaves the bytes it was given as they are, so that they can be decoded again", () => {
    const bytes = Buffer.from(encodeCheckpoint(content(3), 3));
    const before = Buffer.from(bytes);
    for (let time = 0; time < 2; time++) expect(decodeCheckpoint(bytes).state).toEqual(content(3).state);
    expect(bytes).toEqual(before);
  });

  it("notices every single flipped bit", () => {
    const bytes = encodeCheckpoint(content(3), 3);
    expect(decodeCheckpoint(bytes).state).toEqual(content(3).state);
    for (let i = 0; i < bytes.length * 8; i++) {
      const damaged = bytes.slice();
      damaged[i >> 3]! ^= 1 << (i & 7);
      expect(() => decodeCheckpoint(damaged)).toThrow();
    }
  });
});

describe("a process that is killed while it saves", () => {
  it("always leaves a whole checkpoint, no older than the last one it reported", async () => {
    const script = await bundle(fileURLToPath(new URL("support/save-forever.ts", import.meta.url)), folder);
    const run = join(folder, "run");
    let temporaries = 0;
    // A kill that falls inside a save leaves a temporary file; until one has, this test has shown nothing.
    for (let life = 0; life < 100 && (life < 20 || temporaries === 0); life++) {
      const child = spawn(process.execPath, [script, run], { stdio: ["ignore", "pipe", "inherit"] });
      const reported = await killAfterFirstSave(child, (life * 7) % 23);
      const { checkpoint, skipped } = await loadLatestCheckpoint(run);
      expect(skipped).toEqual([]);
      expect(checkpoint!.step).toBeGreaterThanOrEqual(reported);
      expect(checkpoint!.state).toEqual({ step: checkpoint!.step });
      const wrong = (checkpoint!.tensors.w!.data as Float32Array).findIndex((x) => x !== checkpoint!.step);
      expect(wrong).toBe(-1);
      temporaries += (await readdir(run)).filter((file) => file.endsWith(".tmp")).length;
    }
    expect(temporaries).toBeGreaterThan(0);
  }, 300_000);
});

/** @returns the last step that the child printed before it was killed `delayMs` after its first */
async function killAfterFirstSave(child: ChildProcess, delayMs: number): Promise<number> {
  let printed = "";
  child.stdout!.on("data", (chunk) => {
    printed += chunk;
  });
  await once(child.stdout!, "data");
  await new Promise((done) => setTimeout(done, delayMs));
  child.kill("SIGKILL");
  await once(child, "close");
  return Number(printed.slice(0, printed.lastIndexOf("\n")).split("\n").at(-1));
}

/** Node 20 runs no TypeScript, so the child gets one bundled file. */
async function bundle(entry: string, outDir: string): Promise<string> {
  await build({
    configFile: false,
    logLevel: "silent",
    build: {
      ssr: entry,
      outDir,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: "child.mjs" } },
    },
  });
  return join(outDir, "child.mjs");
}
