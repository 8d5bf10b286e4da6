/**
 * Words that people say for what a model may know under another name: only where it does not know the word itself, and knows the
 * other. A shirt is not a T-shirt: whoever asks is told which word was read.
 */
const SYNONYMS: Readonly<Record<string, string>> = {
  shirt: "t-shirt",
  tee: "t-shirt",
  tshirt: "t-shirt",
  pants: "trousers",
  slacks: "trousers",
  jacket: "coat",
  overcoat: "coat",
  handbag: "bag",
  purse: "bag",
  trainer: "sneaker",
};

/** A word in the place of one that a model does not know, in the same number; undefined where there is none. */
export function synonymOf(word: string): string | undefined {
  const own = Object.hasOwn(SYNONYMS, word) ? SYNONYMS[word] : undefined;
  if (own !== undefined) return own;
  const singular = word.endsWith("s") ? word.slice(0, -1) : "";
  return Object.hasOwn(SYNONYMS, singular) ? `${SYNONYMS[singular]}s` : undefined;
}
