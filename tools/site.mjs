// Makes the site: one static folder with the documents, the reference, the studio and its models; any server will do, and
// none is asked for anything else. `npm run site -- --out FOLDER`; --no-api leaves out the reference, which takes longest.
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ownFolders } from "../build/cli/studio/own-folders.js";
import { keepSite } from "./site/keep.mjs";
import { brokenLinks } from "./site/links.mjs";
import { writeReference } from "./site/reference.mjs";
import { writePages } from "./site/write.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    out: { type: "string", default: path.join(root, "dist-site") },
    "no-api": { type: "boolean", default: false },
  },
});
const folder = path.resolve(values.out);
const at = (/** @type {string} */ name) => path.join(root, name);
if (existsSync(folder) && !existsSync(path.join(folder, "assets/site.css")) && values.out !== at("dist-site"))
  throw new Error(`site: --out must name a new folder, or one that holds the site, got ${folder}`);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const pages = await writePages({ root, folder });
console.log(`${pages.length} pages`);
// The studio with all that `heed studio` serves beside its pages: models, and files of packages.
for (const { prefix, folder: source, files } of ownFolders(at("dist/studio")))
  for (const file of files ?? [""])
    cpSync(path.join(source, file), path.join(folder, "studio", prefix, file), { recursive: true });
for (const file of ["heed-elements.js", "heed-figures.js"])
  cpSync(at(`dist/elements/${file}`), path.join(folder, "elements", file));
if (!values["no-api"]) writeReference({ root, folder });
const broken = brokenLinks(folder, { ignore: values["no-api"] ? ["api/"] : [] });
if (broken.length > 0)
  throw new Error(`site: ${broken.length} links lead nowhere:\n${broken.slice(0, 20).join("\n")}`);
console.log(`version ${await keepSite(folder)}`);
console.log(folder);
