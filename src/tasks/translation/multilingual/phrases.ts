import { fileURLToPath } from "node:url";
import type { SentencePair } from "../../../data/tsv.ts";
import { languageRows } from "../spans.ts";
import type { TargetLanguage } from "../text/language.ts";

/** What people say in a day, in English and each target language: greetings, orders, appointments; written for heed. */
const PHRASES = fileURLToPath(new URL("../../../../data/everyday-phrases.tsv", import.meta.url));

/** The everyday phrases that ship with heed, with their translations into one language. */
export function readPhrases(to: TargetLanguage): SentencePair[] {
  return languageRows("readPhrases", PHRASES, to);
}
