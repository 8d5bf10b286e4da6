// Translate from a program, and see what each French word looked at. Run: node examples/02-translate.mjs
import { loadTranslator } from "heed/tasks";

const translator = await loadTranslator();
const [{ target, sourceTokens, targetTokens, weights }] = translator.translate(["I am very tired."]);
console.log(target);
for (const [t, word] of targetTokens.entries()) {
  const most = weights[t].indexOf(Math.max(...weights[t]));
  console.log(`${word} ← ${sourceTokens[most]}`);
}
translator.dispose();

// Prints:
// Je suis très fatigué.
// Je ← I
// suis ← am
// très ← very
// fatigué ← tired
// . ← .
