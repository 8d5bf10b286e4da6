import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { TINY_RECIPE, tinyDataset } from "../tasks/translation/fixture.ts";
import { fakeIo } from "./fake-io.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Runs the built command; `interruptAt` in what it says on standard error interrupts it, once. */
function heed(args: string[], interruptAt?: string) {
  return new Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>(
    (resolve) => {
      const child = spawn(process.execPath, [main, ...args]);
      let stdout = "";
      let stderr = "";
      child.stdout.on("data", (chunk) => {
        stdout += chunk;
      });
      child.stderr.on("data", (chunk) => {
        const before = stderr;
        stderr += chunk;
        if (interruptAt && stderr.includes(interruptAt) && !before.includes(interruptAt))
          child.kill("SIGINT");
      });
      child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
    },
  );
}

test("heed train translation saves when interrupted, says how to go on, and goes on to a model", async () => {
  const data = tinyDataset();
  onTestFinished(() => rmSync(data, { recursive: true }));
  const recipe = path.join(data, "recipe.json");
  // Far more steps than can be done between the first line and the signal.
  writeFileSync(recipe, JSON.stringify({ ...TINY_RECIPE, epochs: 30 }));
  const [folder, out] = [path.join(data, "run"), path.join(data, "model")];
  const args = [
    "train",
    "translation",
    "--data",
    data,
    "--run",
    folder,
    "--out",
    out,
    "--recipe",
    recipe,
    "--threads",
    "1",
  ];
  const first = await heed(args, "step 1 of");
  expect(first.signal).toBe("SIGINT");
  expect(first.stderr).toContain(`heed train translation: stopped; the same command goes on from ${folder}`);
  expect(existsSync(path.join(out, "card.json"))).toBe(false);
  const second = await heed(args);
  expect(second.code).toBe(0);
  expect(second.stdout).toMatch(/^test BLEU \d+\.\d\d, chrF \d+\.\d\d, exact \d+\.\d %; the model is in /);
  const scored = await heed(["evaluate", "translation", "--model", out, "--data", data]);
  const bleu = (text: string) => text.match(/BLEU [\d.]+, chrF [\d.]+/)?.[0];
  expect(bleu(scored.stdout)).toBe(bleu(second.stdout));
}, 240_000);

test("heed train translation refuses a recipe with an unknown entry, in one line", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "heed-recipe-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const recipe = path.join(folder, "recipe.json");
  writeFileSync(recipe, JSON.stringify({ learnRate: 1 }));
  const io = fakeIo();
  expect(await run(["train", "translation", "--recipe", recipe], io)).toBe(2);
  expect(io.err()).toMatch(
    /^heed train translation: --recipe must be a JSON object with entries of data, .*\n$/,
  );
});

test("heed train translation says what it cannot read", async () => {
  const io = fakeIo();
  expect(await run(["train", "translation", "--recipe", "no-such.json"], io)).toBe(2);
  expect(io.err()).toBe(
    "heed train translation: no-such.json must be readable, got no such file; check the name\n",
  );
});
