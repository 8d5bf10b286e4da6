import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useHeedBackend } from "../../../src/host/select.ts";
import { translateBatches } from "../../../src/tasks/translation/batches.ts";
import type { Translation } from "../../../src/tasks/translation/translation.ts";
import { writeRandomMultilingual } from "./multilingual/random-model.ts";

const shout = (lines: readonly string[]) => lines.map((source) => ({ source, target: source.toUpperCase() }));
const translator = { translate: (lines: readonly string[]) => shout(lines) as Translation[] };
const targets = (batch: readonly Translation[]) => batch.map(({ target }) => target).join(" ");

describe("on one thread", () => {
  test("translations come batch by batch, in order", async () => {
    const found: string[] = [];
    const batches = [["a", "b"], ["c", "d"], ["e"], [], ["f"]];
    for await (const batch of translateBatches(translator, batches, { full: 2 })) found.push(targets(batch));
    expect(found).toEqual(["A B", "C D", "E", "", "F"]);
  });

  test("who waits for an answer is asked for no more lines", async () => {
    const events: string[] = [];
    async function* typed() {
      for (const line of ["a", "b"]) {
        events.push(`read ${line}`);
        yield [line];
      }
    }
    for await (const batch of translateBatches(translator, typed(), { full: 2 })) events.push(targets(batch));
    expect(events).toEqual(["read a", "A", "read b", "B"]);
  });

  test("what was read before reading failed is translated", async () => {
    const found: string[] = [];
    async function* broken() {
      yield ["a", "b"];
      yield ["c", "d"];
      throw new Error("the disk is gone");
    }
    const all = async () => {
      for await (const batch of translateBatches(translator, broken(), { full: 2 }))
        found.push(targets(batch));
    };
    await expect(all()).rejects.toThrow("the disk is gone");
    expect(found).toEqual(["A B", "C D"]);
  });

  test("no more is read than is soon translated, and no more than is taken", async () => {
    let read = 0;
    async function* endless() {
      for (;;) yield [String(read++)];
    }
    for await (const batch of translateBatches(translator, endless(), { full: 1, threads: 3 })) {
      expect(read).toBeLessThanOrEqual(Number(targets(batch)) + 13);
      if (read > 40) break;
    }
    expect(read).toBeLessThan(60);
  });
});

/** From the built package: worker threads load no TypeScript. */
describe("on several threads", () => {
  let folder: string;
  beforeAll(async () => {
    await useHeedBackend();
    folder = mkdtempSync(path.join(tmpdir(), "heed-batches-"));
    writeRandomMultilingual(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const script = fileURLToPath(new URL("./batches.mjs", import.meta.url));
  const run = (threads: number, workers = folder, beam = 2) =>
    JSON.parse(
      execFileSync(process.execPath, [script, folder, workers, `${threads}`, `${beam}`], {
        encoding: "utf8",
      }),
    ) as { lines: string[]; here: number; error?: string };

  test("workers do a part, and the lines are those of one thread", () => {
    const one = run(1);
    expect(one.here).toBe(16);
    expect(new Set(one.lines).size).toBeGreaterThan(8);
    const two = run(2);
    expect(two.lines).toEqual(one.lines);
    expect(two.here).toBeLessThan(16);
  });

  test("workers that cannot start leave all to this thread; what is wrong has its own error", () => {
    const lost = run(2, path.join(folder, "nowhere"));
    expect(lost.here).toBe(16);
    expect(lost.lines).toHaveLength(32);
    expect(run(2, folder, 0).error).toBe(
      "OptionError: translate: beam must be a whole number from 1, got 0; correct it",
    );
  });
});
