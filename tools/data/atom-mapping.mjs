// `node tools/data/atom-mapping.mjs FOLDER [OUT]` makes weights/atom-mapping from the ALBERT of the Python package rxnmapper: FOLDER
// holds its pytorch_model.bin, config.json, vocab.txt and LICENSE. The encoder's values stay as they are. Run npm run build first.
// What was compared with the package stands in test/fixtures/atom-mapping, made by tools/fixtures/atom_mapping.py; the card's metrics
// are measured from it here.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { useHeedBackend } from "../../build/host/select.js";
import { openModelFolder } from "../../build/models/pretrained/folder.js";
import { loadPretrained } from "../../build/models/pretrained/load.js";
import { transformerParameters } from "../../build/models/transformer/parameters.js";
import { Transformer } from "../../build/models/transformer/transformer.js";
import { mapperConfig, writeModelFolder } from "../../build/tasks/atom-mapping/files.js";
import { AtomMapper } from "../../build/tasks/atom-mapping/mapper.js";
import { SmilesVocabulary } from "../../build/tasks/atom-mapping/tokens.js";

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const [folder, out = path.join(root, "weights/atom-mapping")] = process.argv.slice(2);
if (!folder) throw new Error("name the folder of rxnmapper's model");
const read = (/** @type {string} */ name) => readFileSync(path.join(folder, name));

await useHeedBackend();
const { checkpoint, config: json } = await openModelFolder(folder);
const published = await loadPretrained(checkpoint, json);
await checkpoint.close();
const { encoderLayers: layers, width, heads, inner, embeddingWidth, types, epsilon } = published.config;
const sizes = {
  ...{ layers, width, heads, inner, embeddingWidth },
  positions: /** @type {number} */ (json.max_position_embeddings),
  ...{ types, epsilon },
};
const vocabulary = new SmilesVocabulary(read("vocab.txt").toString("utf8").trimEnd().split("\n"));
const config = mapperConfig(sizes, vocabulary.list.length, layers);
const values = Object.fromEntries(
  Object.keys(transformerParameters(config)).map((name) => [
    name,
    /** @type {Float32Array} */ (published.parameters.variables[name].dataSync()),
  ]),
);
const model = new Transformer(config, values);

/** @type {import("../../build/tasks/atom-mapping/card.js").AtomMappingCard} */
const card = {
  name: "atom-mapping",
  task: "atom-mapping",
  description:
    "RXNMapper's ALBERT, whose attention is the product: it learnt to fill gaps in the SMILES of chemical reactions, and one of its " +
    "heads looks from each atom of the products at the atom of the reactants that it was.",
  model: sizes,
  mapping: { layer: 10, head: 5, multiplier: 90 },
  parameters: Object.values(values).reduce((sum, { length }) => sum + length, 0),
  data: {
    name: "USPTO",
    licence: "CC0",
    attribution:
      "Reactions of US patents, 1976 to September 2016, extracted by Daniel Lowe (doi.org/10.6084/m9.figshare.5104873).",
    changes: "As the paper says; they were not used here.",
  },
  source: {
    package: "rxnmapper 0.4.3 (PyPI)",
    sha256: createHash("sha256").update(read("pytorch_model.bin")).digest("hex"),
    licence: "MIT",
    paper:
      "Schwaller, Hoover, Reymond, Strobelt, Laino: Extraction of organic chemistry grammar from unsupervised learning of chemical " +
      "reactions, Science Advances 7 (2021), eabe4166, doi.org/10.1126/sciadv.abe4166",
    changes:
      "The pooler and the head that fills gaps are left out; the other values are the same float32 numbers.",
    command: "node tools/data/atom-mapping.mjs",
  },
  metrics: { against: "", reactions: 0, equal: 0, confidence: 0, command: "" },
  limits: [
    "It knows reactions as patents of organic chemistry write them. A token that its vocabulary of 591 lacks is read as unknown, and said to be.",
    "A reaction of more than 510 tokens is refused.",
    "An atom of the reactants becomes one atom of the products: of what a reaction uses twice, write two.",
    "A product atom that no reactant atom is left for has a number that stands on one side alone.",
    "Confidence is what is left of the attention after the rules of assignment, not a chance of being right; low ones deserve a look.",
    "Molecules and canonical texts are RDKit's: another version of it may write them otherwise.",
  ],
};

const fixture = JSON.parse(
  readFileSync(path.join(root, "test/fixtures/atom-mapping/reactions.json"), "utf8"),
);
const mapper = new AtomMapper({ model, vocabulary, card });
let [equal, confidence] = [0, 0];
for (const one of fixture.reactions) {
  const map = await mapper.map(one.reaction, { canonical: one.canonical });
  if (map.mapped === one.mapped) equal++;
  else console.log(`${one.reaction}\n  ${one.mapped}\n  ${map.mapped}`);
  confidence = Math.max(confidence, Math.abs(map.confidence - one.confidence));
}
card.metrics = {
  against: fixture.made,
  reactions: fixture.reactions.length,
  equal,
  confidence,
  command: "npm test -- test/tasks/atom-mapping",
};
writeModelFolder(out, { model, vocabulary, card }, path.join(folder, "LICENSE"));
console.log(card.parameters, card.metrics);
mapper.dispose();
published.dispose();
