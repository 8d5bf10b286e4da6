import { Transformer } from "../../../../src/models/transformer/transformer.ts";
import { draftCard } from "../../../../src/tasks/translation/multilingual/card.ts";
import { writeMultilingualFolder } from "../../../../src/tasks/translation/multilingual/files.ts";
import { modelConfig } from "../../../../src/tasks/translation/multilingual/model.ts";
import { JointPieces } from "../../../../src/tasks/translation/multilingual/pieces.ts";
import { countWords } from "../../../../src/tasks/translation/text/vocabulary.ts";
import { TINY_RECIPE } from "./fixture.ts";

const ENGLISH = ["I see a cat at the station.", "I see a dog.", "See the cat and the dog at the station."];
const FRENCH = ["Je vois un chat à la gare.", "Je vois un chien."];
const GERMAN = ["Ich sehe eine Katze am Bahnhof.", "Ich sehe einen Hund."];

/** A model folder of two languages with random weights, which translates to nonsense at once. The backend must be ready. */
export function writeRandomMultilingual(folder: string): void {
  const targets = [
    { to: "fr", texts: FRENCH },
    { to: "de", texts: GERMAN },
  ] as const;
  const pieces = JointPieces.learn(ENGLISH, targets, 80);
  const recipe = { ...TINY_RECIPE, languages: ["fr", "de"] as const };
  const model = new Transformer(modelConfig(recipe.model, pieces.size), 1);
  const card = {
    ...draftCard({
      recipe,
      parameters: model.parameters.size,
      checksums: { fr: "none", de: "none" },
      command: "heed train translation-multilingual",
      decoding: { beam: 4, lengthPenalty: 1, maxPieces: 30 },
      alignment: { layer: 0, heads: [0, 1] },
    }),
    confidence: { bias: 0, weights: [1, 0, 0, 0] },
  };
  writeMultilingualFolder(folder, { model, pieces, words: countWords(new Set(ENGLISH), 1), card });
  model.dispose();
}
