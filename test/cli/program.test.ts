import { readFileSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { expect, test, vi } from "vitest";
import { run } from "../../src/cli/program.ts";
import { SUBCOMMANDS } from "../../src/cli/subcommands.ts";
import { FileError, ShapeError, WorkerError } from "../../src/core/errors.ts";
import { fakeIo } from "./fake-io.ts";

async function heed(...args: string[]) {
  const io = fakeIo();
  const code = await run(args, io);
  return { code, out: io.out(), err: io.err() };
}

test("--version prints the version of the package", async () => {
  const { version } = JSON.parse(
    readFileSync(path.resolve(import.meta.dirname, "../../package.json"), "utf8"),
  );
  expect(await heed("--version")).toEqual({ code: 0, out: `${version}\n`, err: "" });
});

test("--help, help and no word at all list every subcommand on standard output", async () => {
  for (const args of [["--help"], ["help"], []]) {
    const { code, out, err } = await heed(...args);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const { name, description } of SUBCOMMANDS) {
      expect(out).toContain(name);
      expect(out).toContain(description);
    }
  }
});

test("the help of a subcommand has its flags, in both spellings", async () => {
  const { out, code } = await heed("translate", "--help");
  expect(code).toBe(0);
  expect(out).toContain("--beam <n>");
  expect((await heed("help", "translate")).out).toBe(out);
});

test("a word that is no subcommand is one line and exit code 2", async () => {
  expect(await heed("tranlsate")).toEqual({
    code: 2,
    out: "",
    err: "heed: unknown command 'tranlsate' (Did you mean translate?); heed --help lists what it takes\n",
  });
});

test("a flag that does not exist is one line and exit code 2", async () => {
  expect(await heed("translate", "--bem", "3")).toEqual({
    code: 2,
    out: "",
    err: "heed translate: unknown option '--bem' (Did you mean --beam?); heed translate --help lists what it takes\n",
  });
  expect((await heed("--nothing")).err).toBe(
    "heed: unknown option '--nothing'; heed --help lists what it takes\n",
  );
});

test("a short flag is answered with the long ones that begin with its letter", async () => {
  expect((await heed("svg", "t.attn", "-g", "a")).err).toBe(
    "heed svg: unknown option '-g' (Did you mean --gate or --glimpse-size?); heed svg --help lists what it takes\n",
  );
  expect((await heed("svg", "t.attn", "-z")).err).toBe(
    "heed svg: unknown option '-z'; heed svg --help lists what it takes\n",
  );
});

test("a value that a flag does not know is one line and exit code 2", async () => {
  expect(await heed("evaluate", "translation", "--split", "train")).toEqual({
    code: 2,
    out: "",
    err: 'heed evaluate translation: --split must be one of test, valid, got "train"; try --split test\n',
  });
});

test("what the person can mend is exit code 2; what is our fault is 1, with the stack where it helps", async () => {
  const fail = async (error: Error) => {
    const load = vi.spyOn(SUBCOMMANDS[0]!, "load");
    load.mockImplementation(async () =>
      new Command("start").action(() => {
        throw error;
      }),
    );
    const { code, err } = await heed("start").finally(() => load.mockRestore());
    return { code, line: err.split("\n")[0], stack: /\n {4}at /.test(err) };
  };
  const file = new FileError("UNREADABLE", {
    op: "heed start",
    rule: "a must be readable",
    got: "no such file",
    remedy: "check the name",
  });
  expect(await fail(file)).toEqual({ code: 2, line: file.message, stack: false });
  const worker = new WorkerError("WORKER", {
    op: "train",
    rule: "every worker thread must live",
    got: "one that left",
    remedy: "start again",
  });
  expect(await fail(worker)).toEqual({
    code: 1,
    line: worker.message.replace("train", "heed start"),
    stack: false,
  });
  const shape = new ShapeError("SHAPE", { op: "heatmap", rule: "be six", got: "5", remedy: "pass six" });
  expect(await fail(shape)).toEqual({ code: 1, line: `ShapeError: ${shape.message}`, stack: true });
  expect(await fail(new Error("oh"))).toEqual({ code: 1, line: "Error: oh", stack: true });
});

test("what a function refuses is said under the name of the command that was typed", async () => {
  const model = ["--model", "no-such-folder"];
  const { code, err } = await heed("translate", ...model, "Hello.");
  expect(code).toBe(2);
  expect(err).toMatch(/^heed translate: a model folder must hold [^\n]*; [^\n]+\n$/);
  const scored = await heed("evaluate", "translation", ...model);
  expect(scored.err).toMatch(/^heed evaluate translation: [^\n]*; [^\n]+\n$/);
  expect((await heed("data", "fetch", "no-such-data")).err).toMatch(/^heed data fetch: [^\n]*; [^\n]+\n$/);
  expect((await heed("data", "nothing")).err).toMatch(/^heed data: [^\n]*; [^\n]+\n$/);
});

test("every subcommand loads under the name and with the streams it is given", async () => {
  for (const { name, load } of SUBCOMMANDS) expect((await load(fakeIo())).name()).toBe(name);
});
