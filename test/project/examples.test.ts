import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const examples = readdirSync(path.join(root, "examples")).filter((file) => file.endsWith(".mjs"));

/** The lines below `// Prints:` at the end of an example; `…` stands for anything within a line. */
function promised(source: string): string[] {
  const [, block] = /^\/\/ Prints:\n((?:\/\/.*\n?)+)$/m.exec(source) ?? [];
  return (block ?? "")
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/^\/\/ {0,3}/, "").trimEnd());
}

function matches(line: string, promise: string): boolean {
  const pattern = promise.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pattern.join(".*")}$`, "u").test(line.trimEnd());
}

test("the examples are numbered from 01, without a gap", () => {
  expect(examples.length).toBeGreaterThanOrEqual(4);
  expect(examples.map((file) => file.slice(0, 2))).toEqual(
    examples.map((_, at) => String(at + 1).padStart(2, "0")),
  );
});

test("examples/README.md names every example once, and nothing that is not there", () => {
  const readme = readFileSync(path.join(root, "examples/README.md"), "utf8");
  const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link!);
  const own = links.filter((link) => link.endsWith(".mjs"));
  expect(own.toSorted()).toEqual(examples.toSorted());
  expect(links.filter((link) => !existsSync(path.join(root, "examples", link)))).toEqual([]);
});

test.each(examples)("examples/%s runs and prints what it says", (file) => {
  const lines = promised(readFileSync(path.join(root, "examples", file), "utf8"));
  expect(lines.join("")).not.toBe("");
  const folder = mkdtempSync(path.join(tmpdir(), "heed-example-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const env = { ...process.env, NO_COLOR: "1", TMPDIR: folder, TEMP: folder };
  const printed = execFileSync(process.execPath, [path.join("examples", file)], {
    cwd: root,
    encoding: "utf8",
    env,
  });
  const wrong = printed.trimEnd().split("\n");
  expect(wrong.length, printed).toBe(lines.length);
  expect(wrong.filter((line, at) => !matches(line, lines[at]!))).toEqual([]);
});
