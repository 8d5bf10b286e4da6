import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** The built command in a process of its own, with the weights that ship. */
const main = path.resolve(import.meta.dirname, "../../dist/cli/main.js");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "heed-main-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function heed(args: string[], input = "") {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: "utf8",
    input,
  });
  return { status, stdout, stderr };
}

function shell(line: string) {
  const text = line.replaceAll("heed ", `"${process.execPath}" "${main}" `);
  const { status, stdout, stderr } = spawnSync("bash", ["-c", text], { encoding: "utf8" });
  return { status, stdout, stderr };
}

describe("what goes wrong is one line and exit code 2, without a stack", () => {
  test("a wrong flag", () => {
    expect(heed(["translate", "--beam", "abc", "x"])).toEqual({
      status: 2,
      stdout: "",
      stderr: 'heed translate: --beam must be a whole number from 1 to 64, got "abc"; try --beam 5\n',
    });
  });

  test("a model folder that does not exist", () => {
    const { status, stderr } = heed(["translate", "--model", path.join(folder, "nothing"), "x"]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^loadTranslator: [^\n]*nothing[^\n]*\n$/);
  });

  test("a model folder with a card that is no card", () => {
    for (const text of ["{", "null", "[]", "{}"]) {
      writeFileSync(path.join(folder, "card.json"), text);
      writeFileSync(path.join(folder, "vocabulary.json"), text);
      writeFileSync(path.join(folder, "model.safetensors"), text);
      const { status, stdout, stderr } = heed(["translate", "--model", folder, "x"]);
      expect({ status, stdout, lines: stderr.trimEnd().split("\n").length, stderr }).toEqual({
        status: 2,
        stdout: "",
        lines: 1,
        stderr: expect.not.stringContaining("    at "),
      });
    }
  });
});

test("sentences come from standard input, and an empty line gives an empty line", () => {
  const { status, stdout, stderr } = heed(["translate", "--no-map"], "Hello.\r\n\nThank you.\n");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^\S[^\n]*\n\n\S[^\n]*\n$/);
});

test("a reader that leaves early is no error", () => {
  const { status, stderr } = shell(
    "yes Hello. | head -2000 | heed translate --json | head -1 > /dev/null; echo ${PIPESTATUS[2]} >&2",
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "0\n" });
});

test("an interrupt ends the command by the signal, which a shell reports as 130", async () => {
  const child = spawn(process.execPath, [main, "translate", "--no-map"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exit = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
  child.stdin.write("Hello.\n");
  await Promise.race([exit, new Promise((resolve) => child.stdout.once("data", resolve))]);
  child.kill("SIGINT");
  expect(await exit).toEqual({ code: null, signal: "SIGINT" });
});
