// Builds heed: AssemblyScript kernels → base64 modules in src/kernels/wasm/generated, TypeScript → build, a file for
// each source, and build → dist, which the package holds: a file for each room, and the elements as one file.
// The kernels are embedded as text so that they load synchronously, in Node, browsers and bundlers alike.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import asc from "assemblyscript/asc";
import { bundleElements } from "./elements.mjs";
import { newestMtime } from "./newest.mjs";
import { writeRooms } from "./rooms.mjs";
import { buildStudio } from "./studio.mjs";

const require = createRequire(import.meta.url);
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const generated = path.join(root, "src/kernels/wasm/generated");

const SHARED = ["--sharedMemory", "--enable", "threads", "--maximumMemory", "65536"];
const RELAXED = ["--enable", "relaxed-simd"];
const BUILDS = {
  relaxed: RELAXED,
  plain: [],
  relaxedShared: [...RELAXED, ...SHARED],
  plainShared: SHARED,
};

/**
 * The number of data segments in a WebAssembly binary. The kernels share TensorFlow.js' heap, where a data
 * segment of ours would overwrite its statics at address 1024, so the build refuses a module that has one.
 */
export function dataSegments(/** @type {Uint8Array} */ binary) {
  let at = 8;
  const leb = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = binary[at++];
      value |= (byte & 127) << shift;
      if (!(byte & 128)) return value >>> 0;
    }
  };
  while (at < binary.length) {
    const id = binary[at++];
    const size = leb();
    const end = at + size;
    if (id === 11) return leb();
    at = end;
  }
  return 0;
}

/** Compiles one AssemblyScript entry file; throws when the result carries a data segment. */
export async function compileKernels(/** @type {string} */ entry, /** @type {string[]} */ flags) {
  let binary = new Uint8Array();
  const { error, stderr } = await asc.main(
    [
      entry,
      ...["-O3", "--noAssert", "--runtime", "stub", "--importMemory", "--exportTable"],
      ...["--enable", "simd", "--use", "abort=", "--outFile", "kernels.wasm"],
      ...flags,
    ],
    {
      writeFile: (name, contents) => {
        if (name.endsWith(".wasm") && typeof contents !== "string") binary = new Uint8Array(contents);
      },
    },
  );
  if (error) throw new Error(`build: AssemblyScript refused ${entry}\n${stderr.toString()}`);
  const segments = dataSegments(binary);
  if (segments > 0) {
    throw new Error(
      `build: a kernel module must have no data segment, got ${segments} in ${entry}; a string, a static array ` +
        "or a library function with a table (Mathf.log, Mathf.exp) came in: compute the values instead",
    );
  }
  return binary;
}

async function buildKernels() {
  const entry = path.join(root, "assembly/index.ts");
  const stamp = path.join(generated, "plainShared.ts");
  const sources = newestMtime([path.join(root, "assembly"), fileURLToPath(import.meta.url)]);
  if (statSync(stamp, { throwIfNoEntry: false })?.mtimeMs > sources) return;
  mkdirSync(generated, { recursive: true });
  for (const [name, flags] of Object.entries(BUILDS)) {
    const binary = await compileKernels(entry, flags);
    const text = Buffer.from(binary).toString("base64");
    const note = `// Made by tools/build.mjs from assembly/ (${binary.length} bytes). Do not edit.\n`;
    // Renamed into place, so that a test that runs meanwhile reads the old kernels or the new, never half a file.
    const file = path.join(generated, `${name}.ts`);
    writeFileSync(`${file}.tmp`, `${note}export default "${text}" as string;\n`);
    renameSync(`${file}.tmp`, file);
  }
}

/**
 * TensorFlow.js' own WebAssembly file as text, packed: pages load it where nobody has said where the file is. It fits the
 * JavaScript of its version alone, which is kept beside it.
 */
function embedTensorFlow() {
  const folder = path.dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"));
  const { version } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const file = path.join(generated, "tensorflow.ts");
  const note = `// Made by tools/build.mjs from @tensorflow/tfjs-backend-wasm ${version} (Apache-2.0). Do not edit.\n`;
  if (statSync(file, { throwIfNoEntry: false }) && readFileSync(file, "utf8").startsWith(note)) return;
  const binary = readFileSync(path.join(folder, "dist/tfjs-backend-wasm-simd.wasm"));
  const text = gzipSync(binary, { level: 9 }).toString("base64");
  mkdirSync(generated, { recursive: true });
  const code = `export const VERSION = "${version}" as string;\nexport const GZIPPED = "${text}" as string;\n`;
  writeFileSync(file, `${note}${code}`);
}

/** TypeScript → build, a file for each source; then dist, which ships. */
async function buildTypeScript() {
  const build = path.join(root, "build");
  rmSync(build, { recursive: true, force: true });
  const tsc = path.join(path.dirname(require.resolve("typescript/package.json")), "bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", path.join(root, "tsconfig.build.json")], { stdio: "inherit" });
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const files = readdirSync(build, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".js"))
    .map((file) => file.split(path.sep).join("/"));
  await writeRooms(root, manifest, files);
  chmodSync(path.join(root, "dist/cli/main.js"), 0o755);
  for (const [name, entry] of Object.entries({ "heed-elements": "widget", "heed-figures": "figures" })) {
    const text = await bundleElements(path.join(build, `elements/${entry}.js`));
    writeFileSync(path.join(root, `dist/elements/${name}.js`), text);
  }
  await buildStudio();
  writeFileSync(path.join(root, "dist/.built"), `${manifest.version}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildKernels();
  embedTensorFlow();
  if (!process.argv.includes("--kernels")) await buildTypeScript();
}
