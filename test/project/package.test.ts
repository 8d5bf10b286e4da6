import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { rolldown } from "rolldown";
import { expect, test } from "vitest";
import { publishedReadme } from "../../tools/readme.mjs";

const root = path.resolve(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
const entries = Object.entries(
  manifest.exports as Record<string, { types: string; default: string } | string>,
);

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

/** What `npm pack` puts into the package, but for the scripts around it. */
const packed: { path: string; size: number }[] = JSON.parse(
  execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }),
)[0].files;
const files = packed.map(({ path: file }) => file);

test("the package holds the build, the weights, the examples, the licence and the documents, and nothing else", () => {
  const folders = [...new Set(files.map((file) => file.split("/")[0]))].sort();
  expect(folders).toEqual([
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "conformance",
    "data",
    "dist",
    "docs",
    "examples",
    "fonts",
    "package.json",
    "weights",
  ]);
  expect(files).toContain("dist/cli/main.js");
  expect(files.filter((file) => file.startsWith("weights/"))).toEqual(
    expect.arrayContaining([
      "weights/translation-en/model.safetensors",
      "weights/translation-en-fr/model.safetensors",
      "weights/translation-en-fr/card.json",
    ]),
  );
});

test("the package is lean: 1,350 files and, but for the weights, 18 MB at most, and nothing that only a clone needs", () => {
  expect(files.length).toBeLessThanOrEqual(1350);
  const sizes = packed.filter(({ path: file }) => !file.startsWith("weights/")).map(({ size }) => size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(18e6);
  expect(files.filter((file) => /\.map$|rows\.json|^proofs|^build/.test(file))).toEqual([]);
});

test("on a registry's page the README has addresses of files that the package holds, instead of relative links", () => {
  const readme = publishedReadme(readFileSync(path.join(root, "README.md"), "utf8"), manifest);
  const base = `https://cdn.jsdelivr.net/npm/${manifest.name}@${manifest.version}/`;
  const links = [...readme.matchAll(/(?:\]\(|src="|href=")([^)"]+)/g)].map(([, link]) => link!);
  expect(links.filter((link) => !link.startsWith("https://") && !link.startsWith("#"))).toEqual([]);
  const own = links.filter((link) => link.startsWith(base)).map((link) => link.slice(base.length));
  expect(own).toContain("docs/images/strip.svg");
  expect(own.filter((link) => !files.includes(link.replace(/#.*$/, "")))).toEqual([]);
});

const NODE_ALONE = ["./data", "./train", "./tasks", "./raster", "./elements/standalone"];

test("what runs in a page imports no module of Node, at any depth", () => {
  const loaded = (file: string, seen = new Map<string, string[]>()): Map<string, string[]> => {
    if (seen.has(file)) return seen;
    const text = readFileSync(path.join(root, file), "utf8");
    const imports = [...text.matchAll(/^(?:import|export)\b[^"']*?"([^"]+)";$/gm)].map(([, name]) => name!);
    seen.set(file, imports);
    for (const name of imports.filter((name) => name.startsWith(".")))
      loaded(path.posix.join(path.posix.dirname(file), name), seen);
    return seen;
  };
  const node = (target: string | { default: string }) =>
    typeof target === "string"
      ? []
      : [...loaded(target.default)].flatMap(([, imports]) => imports.filter((name) => /^node:/.test(name)));
  const guilty = entries.filter(([, target]) => node(target).length > 0).map(([entry]) => entry);
  expect(guilty.filter((entry) => !NODE_ALONE.includes(entry))).toEqual([]);
  expect(guilty, "which shows that the check can see one").toContain("./data");
});

/** A program of one line as a bundler makes it, in kB; TensorFlow.js stays outside. */
async function bundled(program: string): Promise<{ code: string; kB: number }> {
  const bundle = await rolldown({
    input: "program",
    cwd: root,
    checks: { ineffectiveDynamicImport: false },
    external: /^(@tensorflow\/|node:)/,
    plugins: [
      {
        name: "program",
        resolveId: (id) => (id === "program" ? path.join(root, "program.js") : null),
        load: (id) => (id === path.join(root, "program.js") ? program : null),
      },
    ],
  });
  const { output } = await bundle.generate({ minify: true });
  return { code: output[0].code, kB: output[0].code.length / 1000 };
}

test("a bundler keeps of heed what a program uses, and what registers", async () => {
  const attend = await bundled('import { attend } from "heed"; console.log(attend);');
  expect(attend.kB).toBeLessThan(80);
  const heatmap = await bundled('import { heatmap } from "heed/viz"; console.log(heatmap);');
  expect(heatmap.kB).toBeLessThan(60);
  const layers = await bundled(
    'import { MultiHeadAttention } from "heed/layers"; console.log(MultiHeadAttention);',
  );
  expect(layers.kB).toBeLessThan(400);
  expect(layers.code, "layers are registered").toContain("registerClass");
  const backend = await bundled('import "heed/backend";');
  expect(backend.code, "the backend is registered").toContain("registerBackend");
  const nothing = await bundled(
    'import "heed"; import "heed/kernels"; import "heed/viz"; import "heed/ops";',
  );
  expect(nothing.code.trim()).toBe("");
});

test("tools, benches and tests import files that dist has; what rooms keep to themselves is in build", () => {
  const missing = committed
    .filter((file) => /^(tools|bench|test)\/.*\.(mjs|ts)$/.test(file))
    .flatMap((file) =>
      [
        ...readFileSync(path.join(root, file), "utf8").matchAll(
          /"(?:\.\.\/)+((?:dist|build)\/[\w/-]+\.js)"/g,
        ),
      ].map(([, place]) => ({ file, place: place! })),
    )
    .filter(({ place }) => !existsSync(path.join(root, place)));
  expect(missing).toEqual([]);
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
