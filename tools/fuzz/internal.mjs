/** Operations that heed keeps to itself, beside those of heed/ops: what the programs of `own.mjs` call. */
const FILES = {
  addGumbel: "gumbel",
  affinePoints: "affine-grid",
  appendRows: "append-rows",
  crop: "crop",
  reserveRows: "reserve-rows",
  rotatePairs: "rotate-pairs",
  topLogits: "top-logits",
};

/**
 * @param {(file: string) => Promise<Record<string, unknown>>} load a file of src/ops, built or not
 * @returns {Promise<Record<string, unknown>>} the operations by name
 */
export async function internalOps(load) {
  const entries = Object.entries(FILES).map(async ([name, file]) => [name, (await load(file))[name]]);
  return Object.fromEntries(await Promise.all(entries));
}
