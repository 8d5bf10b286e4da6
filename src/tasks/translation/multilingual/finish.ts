import { sentenceChrf } from "../../../train/metrics/chrf.ts";
import type { Referenced } from "../../references.ts";
import { readReferenced } from "../corpus.ts";
import { type Evaluation, evaluate } from "../evaluate.ts";
import type { TargetLanguage } from "../text/language.ts";
import { normalizeEnglish } from "../text/normalize.ts";
import { protectPair } from "../text/pair.ts";
import type { LanguageMetrics } from "./card.ts";
import { type AlignedPair, chooseHeads } from "./choose-heads.ts";
import { confidenceOf, fitCalibration, reliability } from "./confidence.ts";
import { languageFolder } from "./corpus.ts";
import { type MultilingualModel, MultilingualTranslator } from "./translator.ts";

/** A translation is good where its chrF against the nearest reference is at least this. */
export const GOOD_CHRF = 60;

/** The pairs of a validation split whose two sides share placeholders. */
function alignedPairs(
  { pieces, words }: MultilingualModel,
  to: TargetLanguage,
  split: readonly Referenced[],
): AlignedPair[] {
  return split.flatMap(({ source, references }) => {
    const pair = protectPair(normalizeEnglish(source), references[0]!, to, { vocabulary: words });
    if (pair.values.length === 0) return [];
    return [{ source: pieces.encodeSource(pair.source, to).ids, target: pieces.encodeTarget(pair.target) }];
  });
}

/** What is measured of a finished model; the test split makes the figures, the validation split the choices. */
export interface Finished {
  evaluations: Partial<Record<TargetLanguage, Evaluation>>;
  /** Share of copied values that the alignment finds. */
  aligned: number;
  reliability: ReturnType<typeof reliability>;
}

/** Chooses what is shown as the alignment, fits the confidence, and scores each language; writes all of it into the card. */
export function finishModel(given: MultilingualModel, dataDir: string): Finished {
  const { model, pieces, card } = given;
  const { languages } = card;
  const folders = languages.map((to) => ({
    to,
    folder: languageFolder(dataDir, card.training.recipe.data, to),
  }));
  const validation = folders.map(({ to, folder }) => ({ to, split: readReferenced(folder, "valid") }));
  const pairs = validation.flatMap(({ to, split }) => alignedPairs(given, to, split));
  const { alignment, share: aligned } = chooseHeads(model, pieces.placeholders, pairs);
  card.alignment = alignment;

  const judged = validation.flatMap(({ to, split }) => judge(given, to, split));
  const good = judged.map((one) => one.good);
  const calibration = fitCalibration(
    judged.map((one) => one.features),
    good,
  );
  card.confidence = calibration;

  const evaluations: Finished["evaluations"] = {};
  for (const { to, folder } of folders) {
    const translator = new MultilingualTranslator(given, to);
    const evaluation = evaluate(translator, readReferenced(folder, "test"));
    evaluations[to] = evaluation;
    card.metrics[to] = metricsOf(to, evaluation);
  }
  const held = folders.flatMap(({ to, folder }) => judge(given, to, readReferenced(folder, "test")));
  const figures = held.map(({ features: values }) => confidenceOf(calibration, values));
  const trust = reliability(
    figures,
    held.map((one) => one.good),
  );
  card.reliability = { goodChrf: GOOD_CHRF, split: "test", ...trust };
  return { evaluations, aligned, reliability: trust };
}

function metricsOf(
  to: TargetLanguage,
  { sources, bleu, chrf, exact, signatures }: Evaluation,
): LanguageMetrics {
  const command = `heed evaluate translation --to ${to}`;
  return { split: "test", sources, bleu, chrf, exact, signatures, command };
}

/** The translations of a split, with what their confidence is made of and whether they are good. */
function judge(given: MultilingualModel, to: TargetLanguage, split: readonly Referenced[]) {
  const translator = new MultilingualTranslator(given, to);
  const found = translator.evidence(split.map(({ source }) => source));
  return found.flatMap((one, i) => {
    if (!one) return [];
    const chrf = sentenceChrf(one.target, split[i]!.references).score;
    return [{ features: one.features, good: Number(chrf >= GOOD_CHRF) as 0 | 1 }];
  });
}
