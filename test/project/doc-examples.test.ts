import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers TensorFlow.js' gradients
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { itWithData } from "../support/shared-data.ts";
import { COMMON, INPUTS, NEEDS_DATA, NOT_RUN } from "./doc-inputs.ts";
import { exampleBlocks, runSnippet, type Scope } from "./snippets.ts";

/**
 * Every `@example` in the sources runs. In scope are: the exports of its own file, `tf`, what heed exports, and
 * the inputs that doc-inputs.ts lists for the file. A block that imports gets what a user would get; those of the
 * changelog get nothing else.
 */
const root = path.resolve(import.meta.dirname, "../..");
const src = path.join(root, "src");
const exportsOf = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")).exports as Record<
  string,
  { default: string } | string
>;
const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.includes("generated"))
  .map((file) => ({ file, blocks: exampleBlocks(readFileSync(path.join(src, file), "utf8")) }))
  .filter(({ blocks }) => blocks.length > 0);

/** The source of an entry point: `heed/viz` → src/viz/index.ts. */
function entryPoint(specifier: string): string | undefined {
  const target = exportsOf[specifier.replace(/^heed/, ".")];
  if (typeof target !== "object") return undefined;
  return path.join(root, target.default.replace(/^\.\/dist\//, "src/").replace(/\.js$/, ".ts"));
}

async function load(specifier: string): Promise<Scope> {
  return (await import(/* @vite-ignore */ entryPoint(specifier) ?? specifier)) as Scope;
}

describe("the @example blocks of the sources", () => {
  const published: Scope = { tf };
  /** What each folder publishes: of two things of one name, an example means its own folder's. */
  const byFolder: Record<string, Scope> = {};
  const skipped = (file: string) => NOT_RUN[file] !== undefined;
  const folder = mkdtempSync(path.join(tmpdir(), "heed-examples-"));
  const home = process.cwd();

  beforeAll(async () => {
    await load("heed/backend");
    await tf.setBackend("heed");
    for (const specifier of Object.keys(exportsOf)) {
      const entry = entryPoint(specifier.replace(/^\./, "heed"));
      if (!entry || !existsSync(entry)) continue;
      const module = (await import(/* @vite-ignore */ entry)) as Scope;
      Object.assign(published, module);
      byFolder[path.relative(src, path.dirname(entry))] = module;
    }
    process.chdir(folder);
  });
  afterAll(() => {
    process.chdir(home);
    rmSync(folder, { recursive: true });
  });

  test("are found", () => {
    expect(files.length).toBeGreaterThan(5);
  });

  for (const { file, blocks } of files) {
    for (const { line, code } of blocks) {
      const needed = NEEDS_DATA[file];
      const run = needed === undefined ? test.skipIf(skipped(file)) : itWithData(needed);
      run(`src/${file}:${line} runs and gives what its comments say`, async () => {
        const own = (await import(/* @vite-ignore */ path.join(src, file))) as Scope;
        const scope = {
          ...COMMON(),
          ...published,
          ...byFolder[file.split("/")[0]!],
          ...own,
          ...(await INPUTS[file]?.()),
        };
        await runSnippet(code, scope, load);
      });
    }
  }

  const changelog = readFileSync(path.join(root, "CHANGELOG.md"), "utf8");
  for (const [, title, text] of changelog.matchAll(/^### (.*)\n([\s\S]*?)(?=^###? |(?![\s\S]))/gm)) {
    for (const [, code] of text!.matchAll(/^```js\n([\s\S]*?)^```$/gm)) {
      test(`CHANGELOG.md, ${title}: the block runs and gives what its comments say`, async () => {
        expect(await runSnippet(code!, {}, load)).toBeGreaterThan(0);
      });
    }
  }

  test("inputs are listed only for files that have examples", () => {
    const listed = [...Object.keys(INPUTS), ...Object.keys(NOT_RUN), ...Object.keys(NEEDS_DATA)];
    expect(listed.filter((file) => !files.some((other) => other.file === file))).toEqual([]);
  });
});
