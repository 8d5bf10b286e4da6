/**
 * Text before and after the model of a translator, without models.
 *
 *     line ─ splitSentences ─ normalizeEnglish ─ sentenceCapitals ─ protect ─ model ─ restore ─ likeSource ─ joinSentences
 *
 * Training reads the same text: `normalizeEnglish` on the source, then `protectPair`.
 */
export { isAllCapitals, isTitleCase, likeSource, sentenceCapitals } from "./casing.ts";
export { type Detected, detectForeign } from "./detect-language.ts";
export { type SetAside, setEmojiAside } from "./emoji.ts";
export { type Closed, closeSentence, likeEnding, likeStart } from "./endings.ts";
export { forbiddenNext, hasLoop, type LoopOptions, longestOutput, longestRun } from "./guards.ts";
export { isTargetLanguage, TARGET_LANGUAGES, type TargetLanguage } from "./language.ts";
export { normalizeEnglish } from "./normalize.ts";
export { type PairedValue, type PairOptions, type ProtectedPair, protectPair } from "./pair.ts";
export {
  finishPart,
  joinLine,
  type Note,
  type PreparedLine,
  type PreparedPart,
  type PrepareOptions,
  prepareLine,
} from "./pipeline.ts";
export {
  describePlaceholders,
  KINDS,
  type Kind,
  PLACEHOLDER,
  PLACEHOLDERS,
  placeholder,
  readPlaceholder,
  SLOTS,
} from "./placeholders.ts";
export {
  type Link,
  type Protected,
  type ProtectedSpan,
  type ProtectOptions,
  placeholderFaults,
  protect,
  type Restored,
  restore,
} from "./protect.ts";
export { renderValue } from "./render.ts";
export { joinSentences, type Sentences, splitSentences } from "./sentences.ts";
export { type Correction, correctTypos, isKnown, unknownWords } from "./unknown.ts";
export { type Decimal, type Span, type Value, valueKey } from "./values.ts";
export { countWords, type Vocabulary } from "./vocabulary.ts";
