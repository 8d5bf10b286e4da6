import * as tf from "@tensorflow/tfjs-core";
import { capture } from "../../capture/capture.ts";
import { DataError } from "../../core/errors.ts";
import { layerMap } from "../../inspect/index.ts";
import { type Assignment, type Atoms, assignAtoms } from "./assign.ts";
import type { AtomMappingCard } from "./card.ts";
import { Rdkit } from "./rdkit.ts";
import { excerpt, modelText, parseReaction, type Reaction, writeReaction } from "./reaction.ts";
import type { AtomMappingModel } from "./read.ts";
import { ARROW, isAtom } from "./tokens.ts";

const OP = "AtomMapper";

export interface MapOptions {
  /**
   * Rewrites each molecule as RDKit does, without the numbers that its atoms came with, and sorts the molecules of a side.
   * Otherwise they stay as they are written, and wrong valences pass. @default true
   */
  readonly canonical?: boolean;
}

/** A reaction whose product atoms are known among the reactant atoms. */
export interface AtomMap extends Assignment {
  /** As it was given. */
  readonly reaction: string;
  /** With numbers: an atom of the products and the one of the reactants that it was have the same. */
  readonly mapped: string;
  /** The product of the confidences of all product atoms. */
  readonly confidence: number;
  /** What the model read, between the tokens that begin and end it. */
  readonly tokens: readonly string[];
  /** Tokens that the model never saw, read as one and the same. */
  readonly unknown: readonly string[];
  /** The tokens of product atoms, P of them, and of reactant atoms, R. */
  readonly productAtoms: readonly string[];
  readonly reactantAtoms: readonly string[];
}

/** The atoms of one side with their places among the tokens. */
interface Side extends Atoms {
  readonly places: readonly number[];
  /** Atoms of each compound. */
  readonly sizes: readonly number[];
}

/**
 * Says which atom of the reactants each atom of the products was, by the attention of one head of a model that has read
 * reactions.
 *
 * Paper: Schwaller, Hoover, Reymond, Strobelt, Laino 2021, doi.org/10.1126/sciadv.abe4166; the maps are those of their
 * RXNMapper.
 *
 * @example
 * const mapper = await loadAtomMapper();
 * const { mapped } = await mapper.map("CC(=O)O.NCC>>CCNC(C)=O");
 * mapped; // "O[C:4]([CH3:5])=[O:6].[CH3:1][CH2:2][NH2:3]>>[CH3:1][CH2:2][NH:3][C:4]([CH3:5])=[O:6]"
 * mapper.dispose();
 */
export class AtomMapper {
  readonly card: AtomMappingCard;
  readonly #model: AtomMappingModel["model"];
  readonly #vocabulary: AtomMappingModel["vocabulary"];
  readonly #wasm: string | undefined;
  #rdkit: Rdkit | undefined;

  /** @param options.wasm where RDKit's module lies, as `Rdkit.load` takes it */
  constructor({ card, model, vocabulary }: AtomMappingModel, { wasm }: { readonly wasm?: string } = {}) {
    this.card = card;
    this.#wasm = wasm;
    this.#model = model;
    this.#vocabulary = vocabulary;
  }

  /**
   * @param text `reactants>>products` in SMILES; the fragments of a salt have "~" between them, or stand in "|f:0.1|" behind
   * @throws DataError FORMAT for what is no reaction, or has a molecule that RDKit cannot read · LIMIT for a long one ·
   * UNSUPPORTED
   */
  async map(text: string, { canonical = true }: MapOptions = {}): Promise<AtomMap> {
    const given = parseReaction(text);
    const molecules = given.precursors.length + given.products.length;
    // Each takes a token at least: RDKit need not look at them all to know.
    if (molecules > this.card.model.positions) throw this.#tooLong(`${molecules} molecules`, text);
    if (this.#rdkit === undefined || this.#rdkit.isBroken) this.#rdkit = await Rdkit.load(this.#wasm);
    const rdkit = this.#rdkit;
    const tidied = (side: readonly string[]) =>
      canonical ? side.map((one) => rdkit.canonical(one)).sort() : side;
    const reaction = { ...given, precursors: tidied(given.precursors), products: tidied(given.products) };
    const { tokens, ids } = this.#read(reaction);
    const arrow = tokens.indexOf(ARROW);
    const reactants = atomsOf(rdkit, reaction.precursors, tokens, 1, arrow);
    const products = atomsOf(rdkit, reaction.products, tokens, arrow + 1, tokens.length - 1);
    const head = this.#headWeights(ids);
    const both = products.places.map((p) => reactants.places.map((r) => head[p]![r]! + head[r]![p]!));
    const assignment = assignAtoms(both, products, reactants, this.card.mapping.multiplier);
    const numbered = (side: readonly string[], { sizes }: Side, numberOf: (atom: number) => number) => {
      let next = 0;
      return side.map((compound, n) =>
        rdkit.numbered(
          compound,
          Array.from({ length: sizes[n]! }, () => numberOf(next++)),
          canonical,
        ),
      );
    };
    const named = (places: readonly number[]) => places.map((place) => tokens[place]!);
    return {
      ...assignment,
      reaction: text,
      mapped: writeReaction({
        ...reaction,
        // Product atoms are numbered from 1 in their order; a reactant atom has the number of the one that it became.
        precursors: numbered(reaction.precursors, reactants, (r) => assignment.origins.indexOf(r) + 1),
        products: numbered(reaction.products, products, (p) => p + 1),
      }),
      confidence: assignment.confidences.reduce((product, one) => product * one, 1),
      tokens,
      unknown: [...new Set(tokens.filter((token) => !this.#vocabulary.has(token)))],
      productAtoms: named(products.places),
      reactantAtoms: named(reactants.places),
    };
  }

  dispose(): void {
    this.#model.dispose();
  }

  #read(reaction: Reaction): { tokens: string[]; ids: number[] } {
    const text = modelText(reaction);
    const read = this.#vocabulary.encode(text);
    if (read.ids.length <= this.card.model.positions) return read;
    throw this.#tooLong(String(read.ids.length), text);
  }

  #tooLong(count: string, text: string): DataError<"LIMIT"> {
    const rule = `a reaction must have at most the ${this.card.model.positions} tokens of the model`;
    const got = `${count} of ${excerpt(text)}`;
    return new DataError("LIMIT", { op: OP, rule, got, remedy: "leave solvents and salts out" });
  }

  /** What each token looks at in the head that maps: [T][T]. */
  #headWeights(ids: readonly number[]): Float32Array[] {
    const { layer, head } = this.card.mapping;
    const states = () => this.#model.encode({ tokens: tf.tensor2d([...ids], [1, ids.length], "int32") });
    const trace = capture(states, undefined);
    const map = layerMap(trace.layers[layer]!);
    return Array.from(ids, (_, t) => Float32Array.from(map.row(head, t).values));
  }
}

/** The atoms of one side, of whose tokens the first has the number `from`, and the last comes before `to`. */
function atomsOf(
  rdkit: Rdkit,
  compounds: readonly string[],
  tokens: readonly string[],
  from: number,
  to: number,
): Side {
  const elements: number[] = [];
  const neighbours: number[][] = [];
  const sizes: number[] = [];
  for (const compound of compounds) {
    // Between the fragments of a compound RXNMapper has a bond.
    const graph = rdkit.graph(compound.replaceAll(".", "~"));
    const first = elements.length;
    elements.push(...graph.elements);
    sizes.push(graph.elements.length);
    neighbours.push(...graph.elements.map(() => []));
    for (const [a, b] of graph.bonds) {
      neighbours[first + a]!.push(first + b);
      neighbours[first + b]!.push(first + a);
    }
  }
  const places = tokens.flatMap((token, at) => (at >= from && at < to && isAtom(token) ? [at] : []));
  if (places.length === elements.length) return { elements, neighbours, places, sizes };
  const rule = "RDKit and the tokens must agree on the number of atoms";
  const got = `${elements.length} and ${places.length} in ${excerpt(compounds.join("."))}`;
  throw new DataError("UNSUPPORTED", { op: OP, rule, got, remedy: "write each atom by its symbol" });
}
