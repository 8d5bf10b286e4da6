/** The words that the lists know to be written with a capital. */
import { personKind } from "./people.ts";
import { isPlace } from "./places.ts";
import { isTranslated } from "./proper-words.ts";

/** Whether a word, written with a capital, is a first name, a place, or a proper word that has translations. */
export function isListed(word: string): boolean {
  return personKind(word) !== undefined || isPlace(word) || isTranslated(word);
}
