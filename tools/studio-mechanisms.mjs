// What the playground knows of every mechanism, from the headers of src/attention: the module "heed:mechanisms".
import path from "node:path";
import { fileURLToPath } from "node:url";
import { FAMILIES } from "./docs/mechanisms/families.mjs";
import { drawings } from "./docs/mechanisms/headers.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const NAME = "heed:mechanisms";

/** Families with their mechanisms, in the order of docs/MECHANISMS.md. */
export function mechanismFamilies() {
  const all = drawings(root);
  return FAMILIES.map(([folder, title, about]) => ({
    title,
    about,
    mechanisms: all
      .filter(({ family }) => family === folder)
      .map(({ name, sentence, formula, cost, papers, draws, parameters }) => {
        return { name, sentence, formula, cost, papers, draws, parameters };
      }),
  }));
}

/** @type {import("vite").Plugin} */
export const mechanismsPlugin = {
  name: "heed-mechanisms",
  resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
  load: (id) => (id === `\0${NAME}` ? `export default ${JSON.stringify(mechanismFamilies())};` : null),
};
