import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
const entries = Object.entries(
  manifest.exports as Record<string, { types: string; default: string } | string>,
);
const consumer = mkdtempSync(path.join(tmpdir(), "heed-consumer-"));
afterAll(() => rmSync(consumer, { recursive: true }));

const git = (...args: string[]) =>
  execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\n").filter(Boolean);
const committed = git("ls-files").filter((file) => existsSync(path.join(root, file)));
const isText = (file: string) => !/\.(safetensors|gz|ttf|png|wasm|npy|npz)$/.test(file);

test("every entry point of package.json exists in the build, with its types", () => {
  const targets = entries.flatMap(([, target]) =>
    typeof target === "string" ? [target] : Object.values(target),
  );
  const all = [...targets, ...Object.values(manifest.bin as Record<string, string>)];
  expect(all.filter((target) => !existsSync(path.join(root, target)))).toEqual([]);
});

test("a TypeScript project that depends on heed finds the types of every entry point", () => {
  const imports = entries
    .filter(([entry]) => entry !== "./package.json")
    .map(([entry], at) => `import * as m${at} from "${entry.replace(/^\./, "heed")}";\nvoid m${at};`);
  writeFileSync(path.join(consumer, "index.mts"), `${imports.join("\n")}\n`);
  writeFileSync(path.join(consumer, "package.json"), '{ "type": "module" }\n');
  mkdirSync(path.join(consumer, "node_modules"));
  symlinkSync(root, path.join(consumer, "node_modules/heed"), "dir");
  const tsc = path.join(root, "node_modules/typescript/bin/tsc");
  const flags = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022"];
  const run = () =>
    execFileSync(process.execPath, [tsc, ...flags, "index.mts"], { cwd: consumer, encoding: "utf8" });
  expect(run()).toBe("");
});

test("the package holds the build, the weights, the licence and the documents, and nothing else", () => {
  const [pack] = JSON.parse(
    execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );
  const files: string[] = pack.files.map((file: { path: string }) => file.path);
  const folders = [...new Set(files.map((file) => file.split("/")[0]))].sort();
  expect(folders).toEqual([
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "conformance",
    "dist",
    "docs",
    "fonts",
    "package.json",
    "weights",
  ]);
  expect(files).toContain("dist/cli/main.js");
  expect(files.filter((file) => file.startsWith("weights/"))).toEqual(
    expect.arrayContaining([
      "weights/translation-en-fr/model.safetensors",
      "weights/translation-en-fr/card.json",
    ]),
  );
});

test("package-lock.json has an entry for every optional package, or npm ci refuses it", () => {
  type Entry = { optionalDependencies?: Record<string, string> };
  const lock = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8"));
  const packages = lock.packages as Record<string, Entry>;
  const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !packages[`node_modules/${name}`] && !packages[`${place}/node_modules/${name}`],
    ),
  );
  expect(missing, "npm install left out those that the registry did not have at that time").toEqual([]);
});

test("no committed file names a folder of the machine it was written on", () => {
  const machine = ["work", "home", "root", "Users"].map((name) => `/${name}/`);
  const pattern = new RegExp(`(?<![\\w.~-])(${machine.join("|")})`);
  const guilty = committed
    .filter(isText)
    .filter((file) => file !== "test/project/package.test.ts")
    .filter((file) => pattern.test(readFileSync(path.join(root, file), "utf8")));
  expect(guilty).toEqual([]);
});

test("no source file is longer than 400 lines", () => {
  const long = committed
    .filter((file) => /\.(ts|mjs)$/.test(file))
    .map((file) => ({ file, lines: readFileSync(path.join(root, file), "utf8").split("\n").length - 1 }))
    .filter(({ lines }) => lines > 400);
  expect(long).toEqual([]);
});
