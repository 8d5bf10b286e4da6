// Writes dist, which the package holds, from build, which has a file for each source: one file for each entry point of
// package.json, one for each room of src in dist/rooms, and the declarations that an entry point leads to. A reader
// of a stack trace sees the room; Node opens some forty files where there were seven hundred.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { rolldown } from "rolldown";
import { parseAst } from "rolldown/parseAst";

/** An address of a file beside the module: `new URL("./worker.js", import.meta.url)`, which bundlers know too. */
const BESIDE = /new URL\(\s*"(\.[^"]+)"(?=,\s*import\.meta\.url)/g;
/** The same within a bundle, where the module may lie elsewhere: the place is written from the root of dist. */
const PLACED = /new URL\("heed:([^"]+)"/g;

const posix = (/** @type {string} */ name) => name.split(path.sep).join("/");

/** The entry points of package.json, from dist and without their ending. */
function entryPoints(/** @type {{ exports: object, bin: object }} */ manifest) {
  const targets = [...Object.values(manifest.exports), ...Object.values(manifest.bin)];
  return targets
    .map((target) => (typeof target === "string" ? target : target.default))
    .filter((target) => target.endsWith(".js"))
    .map((target) => target.replace(/^\.\/dist\//, "").replace(/\.js$/, ""));
}

/** The modules that other modules start by their address: workers. */
function workersOf(/** @type {string} */ build, /** @type {string[]} */ files) {
  return files.flatMap((file) =>
    [...readFileSync(path.join(build, file), "utf8").matchAll(BESIDE)]
      .map(([, address]) => path.posix.join(path.posix.dirname(file), address))
      .filter((address) => files.includes(address))
      .map((address) => address.replace(/\.js$/, "")),
  );
}

/**
 * Keeps addresses of files right where modules move.
 *
 * @returns {import("rolldown").Plugin}
 */
function addresses(/** @type {string} */ build) {
  return {
    name: "heed-addresses",
    transform(code, id) {
      const folder = posix(path.relative(build, path.dirname(id)));
      const placed = code.replace(
        BESIDE,
        (_, address) => `new URL("heed:${path.posix.join(folder, address)}"`,
      );
      return placed === code ? null : { code: placed, map: null };
    },
    renderChunk(code, { fileName }) {
      const folder = path.posix.dirname(fileName);
      return code.replace(PLACED, (_, place) => {
        const address = path.posix.relative(folder, place);
        return `new URL("${address.startsWith(".") ? address : `./${address}`}"`;
      });
    },
  };
}

/** Whether a part of a program does more, when a module is loaded, than bundlers know to have no effect. */
function works(/** @type {any} */ node) {
  if (node === null || typeof node !== "object") return false;
  if (Array.isArray(node)) return node.some(works);
  if (/Function/.test(node.type)) return false;
  if (/^Class/.test(node.type)) return works(node.superClass) || node.body.body.some(works);
  if (node.type === "MethodDefinition") return false;
  if (node.type === "PropertyDefinition") return node.static && works(node.value);
  const known = /^(Call|New|TaggedTemplate|Member)Expression$|^(SpreadElement|StaticBlock)$/;
  return known.test(node.type) || Object.values(node).some(works);
}

/**
 * Says of constants and classes that work is done for when a module is loaded that nothing else happens then, as
 * `sideEffects` says of whole modules: who takes one function of a room need not keep the others.
 *
 * @returns {import("rolldown").Plugin}
 */
function pureDeclarations(/** @type {Set<string>} */ entryFiles) {
  return {
    name: "heed-pure-declarations",
    transform(code, id) {
      if (entryFiles.has(id)) return null;
      const edits = parseAst(code)
        .body.map((/** @type {any} */ node) => node.declaration ?? node)
        .flatMap((node) => (node.type === "VariableDeclaration" ? node.declarations : [node]))
        .map((node) =>
          node.type === "VariableDeclarator" && node.id.type === "Identifier" ? node.init : node,
        )
        .filter((node) => node && (!/Declarat/.test(node.type) || node.type === "ClassDeclaration"))
        .filter((node) => !/Statement$/.test(node.type) && works(node));
      let text = code;
      for (const { start, end, type, id: name } of edits.reverse()) {
        const part = text.slice(start, end);
        const pure =
          type === "ClassDeclaration"
            ? `const ${name.name} = /* @__PURE__ */ (() => {\n${part}\nreturn ${name.name};\n})();`
            : `/* @__PURE__ */ (() => (${part}))()`;
        text = text.slice(0, start) + pure + text.slice(end);
      }
      return text === code ? null : { code: text, map: null };
    },
  };
}

/** The static imports of a module. */
const IMPORT = /^(?:import|export)\b(?:[^"'`;]*?\bfrom)?\s*"([^"]+)";/gm;

/** What only some users of a room have or want to load, by the ending of the room that needs it. */
const APART = { node: /^node:/, layers: /^@tensorflow\/tfjs-layers$/, lit: /^lit$/ };

/**
 * The room of each module, which is the file of dist that it goes to. What leads to a module of Node stays apart from what runs
 * in a page, and what leads to TensorFlow.js' layers or to Lit from what does without; so do the four builds of the kernels,
 * what a worker of theirs needs, and the shaders. Modules of the command stay alone, to be loaded when their subcommand is named.
 */
function roomsOf(/** @type {string} */ build, /** @type {string[]} */ files) {
  const imports = new Map(
    files.map((file) => {
      const found = [...readFileSync(path.join(build, file), "utf8").matchAll(IMPORT)].map(([, name]) =>
        name.startsWith(".") ? path.posix.join(path.posix.dirname(file), name) : name,
      );
      return [file, found];
    }),
  );
  const leadsTo = (/** @type {string} */ file, /** @type {RegExp} */ name, seen = new Set()) => {
    if (name.test(file)) return true;
    if (seen.has(file)) return false;
    seen.add(file);
    return (imports.get(file) ?? []).some((next) => leadsTo(next, name, seen));
  };
  return (/** @type {string} */ place) => {
    const [folder, ...below] = place.split("/");
    if (below.length === 0 || folder === "cli") return null;
    if (below.includes("generated")) return `kernels-${path.basename(place, ".js")}`;
    if (place.startsWith("kernels/wasm/pool/work")) return "kernels-worker";
    if (place.startsWith("kernels/webgpu/")) return "kernels-webgpu";
    const apart = Object.keys(APART).filter((name) => name !== folder && leadsTo(place, APART[name]));
    return [folder, ...apart].join("-");
  };
}

/** The declarations that entry points lead to, from the first on. */
function declarationsOf(/** @type {string} */ build, /** @type {string[]} */ entries) {
  const texts = new Map();
  const waiting = entries.map((entry) => `${entry}.d.ts`);
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (texts.has(place)) continue;
    // With the ending that a program has to write: older TypeScript knows no other.
    const text = readFileSync(path.join(build, place), "utf8").replace(
      /(\b(?:from|import)\s*\(?\s*"\.[^"]+)\.ts"/g,
      '$1.js"',
    );
    texts.set(place, text);
    for (const [, address] of text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)\.js"/g))
      waiting.push(path.posix.join(path.posix.dirname(place), `${address}.d.ts`));
  }
  return texts;
}

/** The modules of build that do something when they are loaded: those that package.json lists of dist. */
function effectsOf(/** @type {string} */ build, /** @type {{ sideEffects: string[] }} */ { sideEffects }) {
  return new Set(sideEffects.map((file) => path.join(build, file.replace(/^\.\/dist\//, ""))));
}

/**
 * Keeps what those modules do: package.json, which speaks of dist, says nothing of them to a bundler.
 *
 * @returns {import("rolldown").Plugin}
 */
export function effectful(/** @type {string} */ build, /** @type {{ sideEffects: string[] }} */ manifest) {
  const effects = effectsOf(build, manifest);
  return {
    name: "heed-effects",
    transform: (code, id) => (effects.has(id) ? { code, map: null, moduleSideEffects: true } : null),
  };
}

/** What must not get lost where a user's bundler leaves out what has no effect. */
function checkEffects(
  /** @type {readonly (import("rolldown").OutputChunk)[]} */ chunks,
  /** @type {Set<string>} */ effects,
) {
  for (const { fileName, moduleIds, isEntry } of chunks) {
    const lost = isEntry ? undefined : moduleIds.find((id) => effects.has(id));
    if (lost)
      throw new Error(`build: ${lost} has effects and must stay an entry point, got it in ${fileName}`);
  }
}

/** Rooms that import each other in a circle would run in an order that nobody chose. */
function checkOrder(/** @type {readonly (import("rolldown").OutputChunk)[]} */ chunks) {
  const imports = new Map(chunks.map((chunk) => [chunk.fileName, chunk.imports]));
  const visit = (/** @type {string} */ name, /** @type {string[]} */ way) => {
    if (way.includes(name))
      throw new Error(`build: files of dist import in a circle: ${way.join(" → ")} → ${name}`);
    if (done.has(name)) return;
    for (const next of imports.get(name) ?? []) visit(next, [...way, name]);
    done.add(name);
  };
  const done = new Set();
  for (const name of imports.keys()) visit(name, []);
}

/** Writes dist anew, from build. */
export async function writeRooms(
  /** @type {string} */ root,
  /** @type {{ exports: object, bin: object, sideEffects: string[] }} */ manifest,
  /** @type {string[]} */ files,
) {
  const [build, dist] = [path.join(root, "build"), path.join(root, "dist")];
  const published = entryPoints(manifest);
  const entries = [...new Set([...published, ...workersOf(build, files)])];
  const inputs = Object.fromEntries(entries.map((entry) => [entry, path.join(build, `${entry}.js`)]));
  const roomOf = roomsOf(build, files);
  const entryFiles = new Set(Object.values(inputs));
  const effects = effectsOf(build, manifest);
  const bundle = await rolldown({
    cwd: build,
    input: inputs,
    platform: "neutral",
    external: (id) => !id.startsWith(".") && !path.isAbsolute(id),
    preserveEntrySignatures: "allow-extension",
    treeshake: { moduleSideEffects: (id, external) => external || effects.has(id) },
    // A room is loaded whole: to import one of its modules when it is needed changes nothing, and is no mistake.
    checks: { ineffectiveDynamicImport: false },
    plugins: [effectful(build, manifest), addresses(build), pureDeclarations(entryFiles)],
  });
  const { output } = await bundle.generate({
    format: "es",
    entryFileNames: "[name].js",
    // Modules of the command by themselves, and those that others load when they need them.
    chunkFileNames: ({ moduleIds, isDynamicEntry }) =>
      moduleIds.some((id) => posix(path.relative(build, id)).startsWith("cli/"))
        ? "rooms/cli/[name].js"
        : isDynamicEntry
          ? "rooms/on-demand/[name].js"
          : "rooms/[name].js",
    comments: { legal: true, annotation: true, jsdoc: false },
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        {
          debugName: "room",
          name: (id) => (entryFiles.has(id) ? null : roomOf(posix(path.relative(build, id)))),
        },
      ],
    },
  });
  const chunks = output.filter((chunk) => chunk.type === "chunk");
  checkEffects(chunks, effects);
  checkOrder(chunks);
  rmSync(dist, { recursive: true, force: true });
  const write = (/** @type {string} */ place, /** @type {string} */ text) => {
    mkdirSync(path.dirname(path.join(dist, place)), { recursive: true });
    writeFileSync(path.join(dist, place), text);
  };
  // Where an index only passes on what others export, the bundler makes a file of nothing beside it.
  const isEmpty = (/** @type {string} */ fileName) =>
    chunks.some((chunk) => chunk.fileName === fileName && !chunk.isEntry && chunk.code.trim() === "");
  for (const { fileName, code } of chunks.filter((chunk) => !isEmpty(chunk.fileName))) {
    const whole = code.replace(/^import "(\.[^"]+)";\n?/gm, (line, address) =>
      isEmpty(path.posix.join(path.posix.dirname(fileName), address)) ? "" : line,
    );
    write(fileName, whole);
  }
  for (const [place, text] of declarationsOf(
    build,
    published.filter((entry) => !entry.startsWith("cli/")),
  ))
    write(place, text);
}
