import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const src = path.join(root, "src");

/** What each folder of src may import, besides itself: the arrows of the design, downward only. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  data: ["core"],
  checkpoints: ["core"],
  // Of inspect the cells alone, which are what a picture is made of.
  viz: ["core", "inspect"],
  inspect: ["core"],
  views: ["core", "viz", "inspect"],
  elements: ["core", "viz", "inspect", "views"],
  kernels: ["core"],
  host: ["core", "kernels"],
  ops: ["core", "kernels", "host"],
  train: ["core", "data", "host", "ops"],
  testing: ["core"],
  attention: ["core", "kernels", "host", "ops"],
  layers: ["core", "kernels", "host", "ops", "attention"],
  capture: ["core", "kernels", "host", "ops", "attention", "layers", "inspect", "viz"],
  intervene: ["core", "kernels", "host", "ops", "train", "inspect", "capture"],
  models: ["core", "data", "checkpoints", "kernels", "host", "ops", "attention", "layers"],
  onnx: ["core", "attention", "layers", "models"],
  tasks: [
    ...["core", "checkpoints", "kernels", "host", "ops", "attention", "layers", "models", "data", "train"],
    ...["viz", "inspect", "capture"],
  ],
  cli: [
    ...["core", "kernels", "host", "ops", "attention", "layers", "models", "tasks", "data", "train"],
    ...["viz", "inspect", "views", "elements", "capture", "onnx"],
  ],
};
/** Folders that know nothing of TensorFlow.js. */
const WITHOUT_TENSORFLOW = ["core", "data", "checkpoints", "viz", "inspect", "views", "elements", "kernels"];

const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts") && file.includes("/") && !file.includes("/generated/"))
  .map((file) => ({ file, folder: file.split("/")[0]!, text: readFileSync(path.join(src, file), "utf8") }));

function importsOf(text: string): string[] {
  const code = text.replace(/^\s*(\*|\/\/).*$/gm, "");
  return [...code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)"([^"]+)"/g)].map((match) => match[1]!);
}

/** The folder of src that a relative import reaches; undefined for a package. */
function reaches(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return path.posix.join(path.posix.dirname(file), specifier).split("/")[0];
}

test("every folder of src has its place in the arrows", () => {
  expect(files.length).toBeGreaterThan(20);
  expect([...new Set(files.map(({ folder }) => folder))].filter((folder) => !(folder in MAY_IMPORT))).toEqual(
    [],
  );
});

test("imports run downward only", () => {
  const wrong = files.flatMap(({ file, folder, text }) =>
    importsOf(text)
      .map((specifier) => ({ specifier, target: reaches(file, specifier) }))
      .filter(({ target }) => target && target !== folder && !MAY_IMPORT[folder]?.includes(target))
      .map(({ specifier }) => `${file} imports ${specifier}`),
  );
  expect(wrong).toEqual([]);
});

test("a picture knows the cells of a map, and nothing else of inspect", () => {
  const wanted = ["../inspect/cells.ts", "../inspect/pyramid.ts"];
  const wrong = files
    .filter(({ folder }) => folder === "viz")
    .flatMap(({ file, text }) =>
      importsOf(text).filter((specifier) => reaches(file, specifier) === "inspect"),
    )
    .filter((specifier) => !wanted.some((cells) => specifier.endsWith(cells)));
  expect(wrong).toEqual([]);
});

test("the check of the arrows sees imports, re-exports and dynamic imports, and not examples in comments", () => {
  const text = [
    'import { a } from "./a.ts";',
    'export * from "../b.ts";',
    'const c = await import("./c.ts");',
    'import "./d.ts";',
    ' * import { e } from "./e.ts";',
    'import {\n  f,\n} from "./f.ts";',
  ].join("\n");
  expect(importsOf(text)).toEqual(["./a.ts", "../b.ts", "./c.ts", "./d.ts", "./f.ts"]);
  expect(reaches("kernels/wasm/load.ts", "../../host/heap.ts")).toBe("host");
});

test("core, data, viz, inspect, views, elements and kernels never import TensorFlow.js", () => {
  const wrong = files
    .filter(({ folder }) => WITHOUT_TENSORFLOW.includes(folder))
    .filter(({ text }) => importsOf(text).some((specifier) => specifier.startsWith("@tensorflow/")));
  expect(wrong.map(({ file }) => file)).toEqual([]);
});

test("only host touches what TensorFlow.js keeps to itself", () => {
  const INTERNAL = /\b(registerKernel|unregisterKernel|copyRegisteredKernels|registerBackend)\b/;
  const wrong = files
    .filter(({ folder }) => folder !== "host")
    .filter(({ text }) => {
      const deep = importsOf(text).some((specifier) =>
        /^@tensorflow\/(tfjs-backend-|[^/]+\/)/.test(specifier),
      );
      const code = text.replace(/^\s*(\*|\/\/).*$/gm, "");
      return deep || INTERNAL.test(code);
    });
  expect(wrong.map(({ file }) => file)).toEqual([]);
});
