import { Command } from "commander";
import { expect, test } from "vitest";
import { startCommand } from "../../src/cli/start.ts";
import { fakeIo } from "./fake-io.ts";
import { fakeTranslator } from "./fake-translator.ts";

async function start(...args: string[]) {
  const io = fakeIo();
  const { load, calls } = fakeTranslator();
  await new Command().addCommand(startCommand(io, load)).parseAsync(["start", ...args], { from: "user" });
  return { out: io.out(), calls };
}

test("three sentences are translated one by one, each shown with its alignment, and then what to do next", async () => {
  const { out, calls } = await start();
  expect(calls).toEqual({ folder: undefined, batches: [1, 1, 1], options: [{}, {}, {}], disposed: true });
  expect(out).toMatch(/^heed \d+\.\d+\.\d+: English to French, and what each French word looked at\.\n\n/);
  expect(out).toContain("I am very tired.\nTIRED. VERY AM I\n  4 output tokens over 4 input tokens;");
  expect(out).toMatch(
    /Next:\n {2}npm start -- "Your own sentence\."\n {2}npx heed translate --to de "[^"]+"\n {2}npx heed translate --help\n$/,
  );
});

test("sentences of one's own take their place", async () => {
  const { out, calls } = await start("so tired", "yes");
  expect(calls.batches).toEqual([1, 1]);
  expect(out).toContain("so tired\nTIRED SO\n");
  expect(out).not.toContain("very");
});
