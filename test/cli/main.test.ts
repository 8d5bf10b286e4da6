import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { DEFAULT_MODEL } from "../../src/tasks/translation/load.ts";
import { fakeIo } from "./fake-io.ts";
import { writeTinyModel } from "./tiny-model.ts";

/** The built command in a process of its own, with a tiny model made here. */
const main = path.resolve(import.meta.dirname, "../../dist/cli/main.js");

const folder = mkdtempSync(path.join(tmpdir(), "heed-main-"));
const model = path.join(folder, "model");
beforeAll(() => writeTinyModel(model));
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

test("a trace is shown, drawn and written", () => {
  const trace = path.join(folder, "t.csv");
  writeFileSync(trace, ",I,am\nje,0.75,0.25\n");
  expect(heed(["show", trace]).stdout).toContain("je: I 0.75, am 0.25");
  expect(heed(["svg", trace, "--out", "-"]).stdout).toMatch(/^<svg .*<\/svg>\s*$/s);
  const png = path.join(folder, "t.png");
  expect(heed(["png", trace, "--out", png])).toEqual({
    status: 0,
    stdout: "",
    stderr: `heed png: drew ${png}\n`,
  });
  expectRefusal(heed(["show", path.join(folder, "nothing.attn")]));
});

test("a translation is written as a page, which asks for nothing", () => {
  const page = path.join(folder, "t.html");
  const args = ["translate", "--model", model, "--no-map", "--html", page, "I <b>am"];
  expect(heed(args)).toMatchObject({ status: 0, stderr: `heed translate: wrote ${page}\n` });
  const html = readFileSync(page, "utf8");
  expect(html).toContain("<title>I &lt;b&gt;am → ");
  expect(html).not.toMatch(/<(script|link|img)[^>]* (src|href)="?http/);
});

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
    expect(stderr).toMatch(/^heed translate: [^\n]*nothing[^\n]*\n$/);
  });

  test.each(["card.json", "vocabulary.json", "model.safetensors"])("a damaged %s", async (name) => {
    const damaged = path.join(folder, "damaged");
    const command = ["translate", "--model", damaged, "x"];
    for (const text of ["", "{", "null", "[]", "{}", '"text"']) {
      cpSync(model, damaged, { recursive: true });
      writeFileSync(path.join(damaged, name), text);
      const io = fakeIo();
      const status = await run(command, io);
      expectRefusal({ status, stdout: io.out(), stderr: io.err() });
    }
    // Once in a process of its own: nothing else is said there.
    expectRefusal(heed(command));
  });

  test("weights that were cut off", () => {
    const damaged = path.join(folder, "cut");
    cpSync(model, damaged, { recursive: true });
    truncateSync(path.join(damaged, "model.safetensors"), 5000);
    expectRefusal(heed(["translate", "--model", damaged, "x"]));
  });
});

function expectRefusal({ status, stdout, stderr }: ReturnType<typeof heed>): void {
  expect(stderr).toMatch(/^[^\n]+\n$/);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
}

test("sentences come from standard input, and an empty line gives an empty line", () => {
  const { status, stdout, stderr } = heed(
    ["translate", "--no-map", "--model", model],
    "Hello.\r\n\nThank you.\n",
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^\S[^\n]*\n\n\S[^\n]*\n$/);
});

test("without --model, the model that ships translates", () => {
  const { status, stdout, stderr } = heed(["translate", "--no-map", "Thank you."]);
  expect({ status, stdout, stderr }, DEFAULT_MODEL).toEqual({ status: 0, stdout: "Merci.\n", stderr: "" });
});

test("a folder as standard input is refused", () => {
  const { status, stdout, stderr } = shell(`heed translate --model "${model}" < "${folder}"`);
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: "",
    stderr: "heed translate: standard input must be readable, got a folder; check the name\n",
  });
});

test("a reader that leaves early is no error", () => {
  const { status, stderr } = shell(
    `yes Hello. | head -2000 | heed translate --json --model "${model}" | head -1 > /dev/null; echo \${PIPESTATUS[2]} >&2`,
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "0\n" });
});

test("nobody who listens on standard error is no error", () => {
  const { status, stdout } = shell(
    `printf 'a\\377\\nb\\n' | heed translate --no-map --model "${model}" 2> >(exit 0); echo $?`,
  );
  expect(status).toBe(0);
  expect(stdout).toMatch(/^[^\n]+\n[^\n]+\n0\n$/);
});

test("an interrupt ends the command by the signal, which a shell reports as 130", async () => {
  const child = spawn(process.execPath, [main, "translate", "--no-map", "--model", model], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exit = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
  child.stdin.write("Hello.\n");
  await Promise.race([exit, new Promise((resolve) => child.stdout.once("data", resolve))]);
  child.kill("SIGINT");
  expect(await exit).toEqual({ code: null, signal: "SIGINT" });
});
