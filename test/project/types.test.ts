import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

/** The published types, as a project sees them that depends on heed and checks strictly, libraries too. */
const root = path.resolve(import.meta.dirname, "../..");
const consumer = mkdtempSync(path.join(tmpdir(), "heed-types-"));
afterAll(() => rmSync(consumer, { recursive: true }));

const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
const specifiers = Object.entries(manifest.exports as Record<string, string | { types: string }>)
  .filter(([, target]) => typeof target === "object")
  .map(([entry]) => entry.replace(/^\./, "heed"));
const readme = readFileSync(path.join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);

/** Each of these lines must be an error, or TypeScript says that there is none to expect. */
const REFUSED = `import { MultiHeadAttention, TransformerEncoderLayer } from "heed/layers";
// @ts-expect-error a number is no constraint
new MultiHeadAttention({ numHeads: 2, keyDim: 4, kernelConstraint: 12345 });
// @ts-expect-error a number is no initialiser
new MultiHeadAttention({ numHeads: 2, keyDim: 4, kernelInitializer: 99 });
// @ts-expect-error a number is no regulariser
new MultiHeadAttention({ numHeads: 2, keyDim: 4, kernelRegularizer: 1 });
// @ts-expect-error an option that does not exist
new MultiHeadAttention({ numHeads: 2, keyDim: 4, headCount: 3 });
// @ts-expect-error a word is no number
new TransformerEncoderLayer({ numHeads: "2", intermediateDim: 8 });
new MultiHeadAttention({ numHeads: 2, keyDim: 4, kernelInitializer: "zeros", kernelRegularizer: "l2" });
`;

beforeAll(() => {
  const modules = path.join(consumer, "node_modules");
  mkdirSync(modules);
  symlinkSync(root, path.join(modules, "heed"), "dir");
  symlinkSync(path.join(root, "node_modules/@tensorflow"), path.join(modules, "@tensorflow"), "dir");
  const entries = specifiers.map((name, n) => `import * as m${n} from "${name}";\nvoid m${n};\n`);
  const files = {
    "package.json": '{ "type": "module" }\n',
    "entries.ts": entries.join(""),
    "refused.ts": REFUSED,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(consumer, name), text);
  for (const [n, code] of blocks.entries()) writeFileSync(path.join(consumer, `readme-${n + 1}.ts`), code);
});

/** What TypeScript finds wrong in the project and in heed's declarations; TensorFlow.js' own have faults of theirs. */
async function problems(module: string, resolution: string): Promise<string[]> {
  const files = ["entries.ts", "refused.ts", ...blocks.map((_, n) => `readme-${n + 1}.ts`)];
  const flags = [
    "--noEmit",
    "--pretty",
    "false",
    "--strict",
    "--skipLibCheck",
    "false",
    "--target",
    "es2022",
  ];
  const kind = ["--module", module, "--moduleResolution", resolution, "--lib", "es2024,dom,dom.iterable"];
  const tsc = path.join(root, "node_modules/typescript/bin/tsc");
  const run = promisify(execFile)(process.execPath, [tsc, ...flags, ...kind, ...files], { cwd: consumer });
  const printed = await run.then(
    ({ stdout }) => stdout,
    ({ stdout }) => stdout as string,
  );
  expect(printed, "libraries are checked too: TensorFlow.js' declarations have known faults").toContain(
    "node_modules/@tensorflow",
  );
  const errors = printed.split("\n").filter((line) => /error TS\d+/.test(line));
  return errors.filter((line) => !line.includes("node_modules/"));
}

test.each([
  ["nodenext", "nodenext"],
  ["node16", "node16"],
  ["esnext", "bundler"],
])(
  "every entry point and README block has types under module %s, resolution %s",
  async (module, resolution) => {
    expect(specifiers.length).toBeGreaterThan(10);
    expect(blocks.length).toBeGreaterThan(4);
    expect(await problems(module, resolution)).toEqual([]);
  },
);
