import { Command } from "commander";
import { type Io, version, write } from "./io.ts";
import { argumentLines } from "./lines.ts";
import { type LoadTranslator, loadFromFolder } from "./translate.ts";
import { axesOf, look, safe, show } from "./translation-output.ts";

/** What is shown where nobody says what: by `npm start`, and in the strip of maps at the head of the README. */
export const SENTENCES = [
  "I am very tired.",
  "Tom bought a red car.",
  "Anna paid $45 for the tickets at 7:30 p.m.",
];

const NEXT = `Next:
  npm start -- "Your own sentence."
  npx heed translate --to de "Where is the station?"
  npx heed translate --help
`;

/** `heed start [text…]`, which `npm start` runs: the main job at work, and what to do next. */
export function startCommand(io: Io, load: LoadTranslator = loadFromFolder): Command {
  return new Command("start")
    .description("Translates a few English sentences, or yours, and shows what each word looked at.")
    .argument("[text...]", "your own sentences, each one quoted")
    .action(async (texts: string[]) => {
      const appearance = look({}, io);
      io.stdout.write(`heed ${version()}: English to French, and what each French word looked at.\n\n`);
      const translator = await load(undefined, undefined);
      const axes = axesOf(translator.card);
      try {
        for (const sentence of texts.length > 0 ? argumentLines(texts) : SENTENCES) {
          const [translation] = translator.translate([sentence]);
          await write(
            io.stdout,
            `${safe(translation!.source, appearance.terminal)}\n${show(translation!, appearance, axes)}\n`,
          );
        }
      } finally {
        translator.dispose();
      }
      io.stdout.write(NEXT);
    });
}
