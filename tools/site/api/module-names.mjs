// Calls each module of the reference what users import: heed/core, not src/core/index.ts.
import { readFileSync } from "node:fs";
import { Converter } from "typedoc";

const { exports } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));

const names = new Map(
  Object.entries(exports).map(([name, { types = "" }]) => [
    types
      .replace(/^\.\/dist\//, "")
      .replace(/\.d\.ts$/, "")
      .replace(/\/index$/, ""),
    name.replace(/^\./, "heed"),
  ]),
);

export function load(/** @type {import("typedoc").Application} */ { converter }) {
  converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) module.name = names.get(module.name) ?? module.name;
  });
}
