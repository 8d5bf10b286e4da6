import { type GenerateOptions, generate } from "../../models/transformer/generate.ts";
import type { Transformer } from "../../models/transformer/transformer.ts";
import type { LanguageModelCard } from "./card.ts";
import type { Characters } from "./characters.ts";
import { type Bits, bitsPerCharacter } from "./evaluate.ts";

const OP = "LanguageModel";

export type WriteOptions = Pick<GenerateOptions, "temperature" | "topK" | "topP" | "seed"> & {
  /** Characters to add, from 1. @default 200 */
  characters?: number;
};

/**
 * Continues text, character by character, and scores it.
 *
 * @example
 * const model = await loadLanguageModel();
 * model.write("ROMEO:\n", { characters: 80, temperature: 0.8, seed: 1 });
 * model.bits("To be, or not to be").bits; // bits a character
 * model.dispose();
 */
export class LanguageModel {
  readonly card: LanguageModelCard;
  readonly model: Transformer;
  readonly characters: Characters;

  constructor(of: { card: LanguageModelCard; model: Transformer; characters: Characters }) {
    this.card = of.card;
    this.model = of.model;
    this.characters = of.characters;
  }

  /** What follows a prompt. @throws DataError UNKNOWN · OptionError OPTION */
  write(prompt: string, { characters = 200, ...sampling }: WriteOptions = {}): string {
    const ids = this.characters.encode(OP, prompt).slice(-this.card.length);
    const [added] = generate(this.model, [Array.from(ids)], { ...sampling, maxTokens: characters });
    return this.characters.decode(added!);
  }

  /** Bits a character of a text of at least two. @throws DataError UNKNOWN */
  bits(text: string): Bits {
    const { length } = this.card;
    return bitsPerCharacter(this.model, this.characters.encode(OP, text), {
      length,
      context: Math.floor(length / 2),
    });
  }

  dispose(): void {
    this.model.dispose();
  }
}
