import type { MainModule, Mol } from "@rdkit/rdkit";
import { DataError } from "../../core/errors.ts";
import { excerpt } from "./reaction.ts";

/** The atoms of a molecule, in the order of its text, and which of them are bonded. */
export interface MoleculeGraph {
  /** Z of each atom; 0 for a placeholder. */
  readonly elements: readonly number[];
  readonly bonds: readonly (readonly [number, number])[];
}

/** As little of RDKit's JSON as is read here. */
interface RdkitJson {
  readonly defaults: { readonly atom: { readonly z: number; readonly nRad: number } };
  readonly molecules: readonly {
    readonly atoms: readonly { readonly z?: number; readonly nRad?: number }[];
    readonly bonds: readonly { readonly atoms: readonly [number, number] }[];
  }[];
}

const OP = "Rdkit";
/** Nothing is checked or tidied: atoms stay as the text has them. */
const AS_WRITTEN = JSON.stringify({ sanitize: false, removeHs: false, assignStereo: false });
const TIDY = JSON.stringify({ removeHs: false, assignStereo: false });
/** Where hydrogens stand as atoms. Elsewhere it would do one thing more: give a wrong centre, "C[C@H]C", a hydrogen that it lacks. */
const TIDY_WITHOUT_HYDROGENS = JSON.stringify({ assignStereo: false });
/** A longer molecule takes seconds to overflow RDKit's stack, and no reaction that the model can read has one. */
const MOST_SIGNS = 4096;
/** CXSMILES's word for so many radical electrons; for more it has none, and brackets are all that they change here. */
const RADICALS = ["", "^1", "^2", "^5"];

/**
 * What RDKit does for atom mapping. It is a WebAssembly module of 7 MB, loaded by who needs it.
 *
 * @example
 * const rdkit = await Rdkit.load();
 * rdkit.canonical("OCC"); // "CCO"
 */
export class Rdkit {
  readonly #module: MainModule;
  #isBroken = false;

  private constructor(module: MainModule) {
    this.#module = module;
  }

  /** @param wasm where its module lies @default beside its JavaScript, where a bundler of a page may have put it elsewhere */
  static async load(wasm?: string): Promise<Rdkit> {
    // A CommonJS module, whose function stands below the default twice.
    const { default: rdkit } = await import("@rdkit/rdkit");
    const module = await rdkit.default(wasm === undefined ? {} : { locateFile: () => wasm });
    module.disable_logging();
    return new Rdkit(module);
  }

  /** It threw where it should have answered; what is in its memory is no longer to be trusted. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** The one text that RDKit writes for a molecule, without numbers of atoms. @throws DataError FORMAT, LIMIT */
  canonical(smiles: string): string {
    // A numbered placeholder, "[*:1]", keeps its number, which is its name.
    const unnumbered = smiles.replace(/(?<=[^*]):\d+\]/g, "]");
    const details = unnumbered.includes("[H]") ? TIDY_WITHOUT_HYDROGENS : TIDY;
    return this.#with(unnumbered, smiles, details, (molecule) => molecule.get_smiles());
  }

  /** @throws DataError FORMAT, LIMIT */
  graph(smiles: string): MoleculeGraph {
    return this.#with(smiles, smiles, AS_WRITTEN, (molecule) => {
      const { defaults, atoms, bonds } = read(molecule);
      return {
        elements: atoms.map(({ z }) => z ?? defaults.z),
        bonds: bonds.map((bond) => bond.atoms),
      };
    });
  }

  /**
   * The text of a molecule whose atoms have these numbers, in the order of the text; 0 leaves one without.
   *
   * @throws DataError FORMAT, LIMIT
   */
  numbered(smiles: string, numbers: readonly number[], canonical: boolean): string {
    const maps = numbers.flatMap((number, atom) =>
      number > 0 ? [`${atom}.molAtomMapNumber.${number}`] : [],
    );
    const radicals = smiles.includes("[") ? this.#radicals(smiles) : [];
    const extras = [
      ...(maps.length > 0 ? [`atomProp:${maps.join(":")}`] : []),
      ...radicals.flatMap((count, atom) =>
        count > 0 ? [`${RADICALS[Math.min(count, RADICALS.length - 1)]}:${atom}`] : [],
      ),
    ];
    const text = extras.length > 0 ? `${smiles} |${extras.join()}|` : smiles;
    const details = JSON.stringify({ canonical });
    return this.#with(text, smiles, AS_WRITTEN, (molecule) => molecule.get_smiles(details));
  }

  /** Radical electrons of each atom; none where a valence is wrong, as such atoms have no free electron. */
  #radicals(smiles: string): number[] {
    try {
      return this.#with(smiles, smiles, TIDY, (molecule) => {
        const { defaults, atoms } = read(molecule);
        return atoms.map(({ nRad }) => nRad ?? defaults.nRad);
      });
    } catch (error) {
      if (error instanceof DataError && error.code === "FORMAT") return [];
      throw error;
    }
  }

  #with<Result>(text: string, smiles: string, details: string, use: (molecule: Mol) => Result): Result {
    const refuse = (cause?: unknown) => {
      const rule = "RDKit must be able to read each molecule";
      const remedy = "check its brackets, rings and valences";
      return new DataError("FORMAT", { op: OP, rule, got: excerpt(smiles), remedy }, { cause });
    };
    const refuseSize = (rule: string, cause?: unknown) => {
      const fault = { op: OP, rule, got: excerpt(smiles), remedy: "give smaller ones" };
      return new DataError("LIMIT", fault, { cause });
    };
    if (smiles.length > MOST_SIGNS) throw refuseSize(`a molecule must have at most ${MOST_SIGNS} signs`);
    if (this.#isBroken) throw refuse();
    let molecule: Mol | null = null;
    try {
      molecule = this.#module.get_mol(text, details);
      if (molecule) return use(molecule);
    } catch (cause) {
      this.#isBroken = true;
      // The stack of its memory, or that of calls.
      if (!/^R(?:untime|ange)Error$/.test((cause as Error).name)) throw refuse(cause);
      throw refuseSize("a molecule must be small enough for RDKit's stack", cause);
    } finally {
      if (!this.#isBroken) molecule?.delete();
    }
    throw refuse();
  }
}

function read(molecule: Mol) {
  const { defaults, molecules } = JSON.parse(molecule.get_json()) as RdkitJson;
  return { defaults: defaults.atom, atoms: molecules[0]!.atoms, bonds: molecules[0]!.bonds ?? [] };
}
