import path from "node:path";
import { fileURLToPath } from "node:url";
import { SHIPPED_MODELS } from "../../tasks/model-folder.ts";
import type { ServedFolder } from "./folders.ts";

/** Files of packages that pages ask for when a reader opens what needs them; of those that are installed. */
const PACKAGES = [
  {
    prefix: "h5wasm",
    package: "h5wasm",
    files: ["hdf5_hl.js", "hdf5_util.js", "file_handlers.js"],
  },
  { prefix: "rdkit", package: "@rdkit/rdkit", files: ["RDKit_minimal.wasm"] },
];

/** What is served beside what was opened: the pages, the weights of shipped models, and files of packages. */
export function ownFolders(pages: string): ServedFolder[] {
  const packages = PACKAGES.flatMap(({ prefix, package: name, files }) => {
    try {
      return [{ prefix, folder: path.dirname(fileURLToPath(import.meta.resolve(name))), files }];
    } catch {
      return [];
    }
  });
  return [...packages, { prefix: "weights", folder: SHIPPED_MODELS }, { prefix: "", folder: pages }];
}
