import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { SUBCOMMANDS } from "../../src/cli/subcommands.ts";
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

test("every subcommand loads under the name and with the streams it is given", async () => {
  for (const { name, load } of SUBCOMMANDS) expect((await load(fakeIo())).name()).toBe(name);
});
