import type { Claim } from "../claim.ts";
import { idiomatic } from "../toy/idiomatic.ts";
import { reordered, type ToyLanguage } from "../toy/language.ts";
import { reversal } from "../toy/reversal.ts";

const LANGUAGES: readonly (readonly [ToyLanguage, string])[] = [
  [reordered("copy", 24, 3, (t) => t), "copies, word for word"],
  [reversal(), "reverses"],
  [idiomatic(), "translates words that trade places, double, vanish, and an idiom"],
];

const decodingClaim: Claim = {
  name: "transformer/decoding-time",
  claim:
    "The time of a step of decoding grows with the keys that it reads. A cache that doubles its rows does not move them all in one step: the slowest of these steps takes at most three times as long as those around it.",
  thresholds: [{ metric: "doublingSlowest", atMost: 2 }],
  quick: false,
  async measure(onProgress) {
    const { decodingTime } = await import("./decoding-time.ts");
    return decodingTime(onProgress);
  },
};

/** What the Transformer of the paper learns, with warm-up and smoothed labels. No length beyond training's is claimed. */
const translationClaims: readonly Claim[] = LANGUAGES.map(([language, does]) => ({
  name: `transformer/${language.name}`,
  claim: `The Transformer of the paper ${does}: new sentences of 4 to 9 words come out right.`,
  thresholds: [{ metric: "exact", atLeast: 0.99 }],
  quick: false,
  async measure(onProgress) {
    const { translateToy } = await import("./translate.ts");
    return translateToy(language, onProgress);
  },
}));

export const transformerClaims: readonly Claim[] = [...translationClaims, decodingClaim];
