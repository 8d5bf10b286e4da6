// One head of a trained ALBERT says which atom of the reactants each atom of the products was: RXNMapper (Schwaller et al. 2021).
// The model ships with heed (MIT), RDKit reads the molecules. Run: node examples/21-map-atoms.mjs
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { atomMapTrace, loadAtomMapper } from "heed/tasks";
import { drawTrace } from "heed/views";

const mapper = await loadAtomMapper();
// Acetic acid and ethylamine give an amide: the acid's OH leaves, the nitrogen comes from the amine.
const map = await mapper.map("CC(=O)O.NCC>>CCNC(C)=O");
console.log(map.mapped);
console.log(`confidence ${map.confidence.toFixed(2)}`);

const looked = map.origins.map((r, p) => `${map.productAtoms[p]} ${(100 * map.weights[p][r]).toFixed(0)} %`);
console.log(`share of attention on the atom that each was: ${looked.join(", ")}`);

const file = path.join(mkdtempSync(path.join(tmpdir(), "heed-")), "amide.svg");
writeFileSync(file, drawTrace(atomMapTrace(map)));
console.log(`the picture is in ${path.basename(file)}`);
mapper.dispose();

// Prints:
// O[C:4]([CH3:5])=[O:6].[CH3:1][CH2:2][NH2:3]>>[CH3:1][CH2:2][NH:3][C:4]([CH3:5])=[O:6]
// confidence 0.73
// share of attention on the atom that each was: …
// the picture is in amide.svg
