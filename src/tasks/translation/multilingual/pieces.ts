import { Bpe, type BpeJson, END, type Encoding, UNKNOWN } from "../../../data/bpe.ts";
import { trainBpe } from "../../../data/bpe-train.ts";
import { TARGET_LANGUAGES, type TargetLanguage } from "../text/language.ts";
import { PLACEHOLDER, PLACEHOLDERS } from "../text/placeholders.ts";

/** The first piece of a source: the language that is asked for (Johnson et al. 2017, arxiv.org/abs/1611.04558). */
const TAGS: Readonly<Record<TargetLanguage, string>> = { fr: "\ue100", de: "\ue101", es: "\ue102" };

/** What `JointPieces.toJSON` writes. */
export interface JointPiecesJson {
  readonly bpe: BpeJson;
  /** Ids of the pieces that a translation into each language may hold, ascending. */
  readonly outputs: Readonly<Record<string, readonly number[]>>;
}

/** Sentences of one target language. */
export interface TargetTexts {
  readonly to: TargetLanguage;
  readonly texts: readonly string[];
}

/**
 * One vocabulary of pieces for English and all target languages, so that one table embeds sources and targets and scores outputs.
 *
 * Every placeholder is one character of the alphabet that no merge touches, and so one piece; so is every target
 * language's tag. `outputs` lists what translations into a language are made of: about half of all pieces. Scoring those
 * alone halves the largest product of a decoder's step, in training and in translation.
 *
 * @example
 * const target = { to: "fr", texts: ["Je suis fatigué."] };
 * const pieces = JointPieces.learn(["I am tired."], [target], 40);
 * pieces.bpe.decode(pieces.encodeSource("I am tired.", "fr").ids.slice(1)); // "I am tired."
 */
export class JointPieces {
  readonly bpe: Bpe;
  /** Ids of all placeholders. */
  readonly placeholders: ReadonlySet<number>;
  readonly #outputs: ReadonlyMap<TargetLanguage, Int32Array>;

  private constructor(bpe: Bpe, outputs: ReadonlyMap<TargetLanguage, Int32Array>) {
    this.bpe = bpe;
    this.placeholders = new Set(PLACEHOLDERS.flatMap((character) => bpe.id(character) ?? []));
    this.#outputs = outputs;
  }

  /**
   * Learns pieces from protected sentences of both sides.
   *
   * @param size pieces learnt, besides placeholders and tags
   */
  static learn(sources: readonly string[], targets: readonly TargetTexts[], size: number): JointPieces {
    const bare = (text: string) => text.replace(PLACEHOLDER, "");
    const all = [sources, ...targets.map(({ texts }) => texts)].flatMap((texts) => texts.map(bare));
    const { alphabet, merges } = trainBpe(all, { vocabularySize: size }).toJSON();
    const bpe = Bpe.fromParts([...alphabet, ...PLACEHOLDERS, ...Object.values(TAGS)], merges);
    const always = [END, UNKNOWN, ...[...alphabet, ...PLACEHOLDERS].map((character) => bpe.id(character)!)];
    const outputs = targets.map(({ to, texts }) => {
      const ids = new Set(always);
      for (const text of texts) for (const id of bpe.encode(text)) ids.add(id);
      return [to, Int32Array.from(ids).sort()] as const;
    });
    return new JointPieces(bpe, new Map(outputs));
  }

  /** @throws DataError FORMAT */
  static fromJSON({ bpe, outputs }: JointPiecesJson): JointPieces {
    const known = TARGET_LANGUAGES.filter((to) => to in outputs);
    return new JointPieces(
      Bpe.fromJSON(bpe),
      new Map(known.map((to) => [to, Int32Array.from(outputs[to]!)])),
    );
  }

  toJSON(): JointPiecesJson {
    const outputs = [...this.#outputs].map(([to, ids]) => [to, Array.from(ids)] as const);
    return { bpe: this.bpe.toJSON(), outputs: Object.fromEntries(outputs) };
  }

  get size(): number {
    return this.bpe.size;
  }

  /** The languages that it translates to. */
  get languages(): TargetLanguage[] {
    return [...this.#outputs.keys()];
  }

  /** Ids of the pieces that a translation into a language may hold, ascending; END and `<unk>` are among them. */
  outputs(to: TargetLanguage): Int32Array {
    return this.#outputs.get(to)!;
  }

  /** A source: the tag of the language that is asked for, then the pieces of the text. The tag's surface is "". */
  encodeSource(text: string, to: TargetLanguage): Encoding {
    const { ids, pieces } = this.bpe.encodePieces(text);
    return { ids: [this.bpe.id(TAGS[to])!, ...ids], pieces: ["", ...pieces] };
  }

  /** A target, ended. */
  encodeTarget(text: string): number[] {
    return [...this.bpe.encode(text), END];
  }
}
