import { Command } from "commander";
import { UsageError } from "../core/errors.ts";
import type { QuestionAnswerer } from "../tasks/visual-questions/answerer.ts";
import { terminalCapabilities } from "../viz/terminal/capabilities.ts";
import { answerPictures, finishPictures } from "./answer-pictures.ts";
import { showAnswer, unanswered } from "./ask-output.ts";
import { answerFormat, oneOf, wholeNumber } from "./flags.ts";
import type { Io } from "./io.ts";
import { OutputFiles } from "./output-files.ts";
import { PictureInput } from "./picture-input.ts";
import { COLORS } from "./translation-output.ts";

const NAME = "heed ask";
/** A picture's name, which no question is: the two arguments are easily put the wrong way round. */
const PICTURE_NAME = /^\S+\.(?:png|jpe?g)$/i;
/** Pictures that are read and asked about together. */
const PICTURES_PER_BATCH = 32;

interface Flags {
  input?: string;
  model?: string;
  seed: number;
  json?: boolean;
  /** False with `--no-picture`. */
  picture?: boolean;
  svg?: string;
  html?: string;
  trace?: string;
  color?: (typeof COLORS)[number];
}

const HELP = `
The question is asked about each picture, a PNG or JPEG file of any size. Pictures are made grey, at most 64 pixels wide and
high, and inverted where their border is light: the model knows scenes of one to four pieces of clothing on black, and
always gives one of its answers. It knows these questions, about t-shirts, trousers, coats, sandals, sneakers, bags, boots:

  what is left of the bag?  (right of, above, over, below, under)     is there a coat?
  is the bag above the coat?                                          how many sandals are there?
  what is in the picture?   (where there is one thing)

Words that it does not know are named and left out, or read as ones that it knows, such as shirts as t-shirts; a question
without any of its items is refused. Without pictures their paths are read from standard input, one a line, and without
that an example is composed; --seed chooses another one. A picture that cannot be read is named on standard error, leaves
an empty line, and makes the exit code 2.
In a terminal the picture follows once for each word, with what the word looked at; elsewhere each line is an answer.

  heed ask "What is left of the bag?" scene.png
  heed ask --svg strip.svg "Is there a coat?" scene.png
  heed ask --json "How many boots are there?" < paths.txt > answers.jsonl
  heed ask --trace scene.attn "Is the bag above the coat?" scene.png   # then: heed show, svg, png, html scene.attn
`;

/** `heed ask QUESTION [pictures…]`: the answer, and what question and picture looked at in each other. */
export function askCommand(io: Io): Command {
  return new Command("ask")
    .description("Answers a question and shows what its words looked at.")
    .argument("<question>", "the question, in quotes")
    .argument(
      "[pictures...]",
      "PNG or JPEG files; their paths on standard input, one a line, when there are none",
    )
    .option("--input <file>", "reads the paths of pictures from a file, one a line")
    .option("--model <dir>", "name or folder of the model (default: visual-questions, which ships with heed)")
    .option(
      "--seed <n>",
      "chooses the example where there is no picture",
      wholeNumber(NAME, "--seed", 0, 2 ** 24 - 1, "try --seed 2"),
      1,
    )
    .option("--json", "one object a line: picture, question, answer, probability, answers, words, weights")
    .option("--no-picture", "the answers alone, one a line")
    .option("--svg <file>", "also draw what each word looked at; several pictures go to file-1.svg, …")
    .option("--html <file>", "also write that as a page to click through, without a network")
    .option("--trace <file>", "also write that for heed show, svg, png and html")
    .option("--color <when>", "always, never or auto", oneOf(NAME, "--color", COLORS))
    .addHelpText("after", HELP)
    .action((question: string, pictures: string[], flags: Flags) => ask(question, pictures, flags, io));
}

async function ask(question: string, pictures: string[], flags: Flags, io: Io): Promise<void> {
  const { input, model, color = "auto", seed } = flags;
  // Everything that can be wrong with the command line is found before the model is loaded, but for the question's words.
  if (PICTURE_NAME.test(question)) {
    const fault = { op: NAME, rule: "the question must come before the pictures", got: `${question} first` };
    const remedy = `try heed ask "Is there a bag?" ${question}`;
    throw new UsageError("USAGE", { ...fault, remedy });
  }
  const files = new OutputFiles(NAME, flags);
  const given = new PictureInput(NAME, io, pictures, input);
  const terminal = terminalCapabilities({ env: io.env, stream: io.stdout, color });
  const format = answerFormat(flags, terminal);
  const [{ loadAnswerer }, { answerPicture, answerStrip }] = await Promise.all([
    import("../tasks/visual-questions/files.ts"),
    import("../tasks/visual-questions/draw.ts"),
  ]);
  const answerer = await loadAnswerer(model);
  try {
    answerer.check(question);
    const { unknown, replaced } = answerer.vocabulary.sort(question);
    for (const { word, by } of replaced)
      io.stderr.write(`${NAME}: the model does not know ${JSON.stringify(word)}, and reads ${by}\n`);
    if (unknown.length > 0) io.stderr.write(`${NAME}: ${unknownWords(unknown, answerer)}\n`);
    await answerPictures<Uint8Array>({
      ...{ name: NAME, io, given, files, batch: PICTURES_PER_BATCH },
      see: (picture) => answerer.pixelsOf(picture),
      greys: (pixels) => pixels,
      answer(pictures) {
        const answers = answerer.answerEach(
          question,
          pictures.map(({ seen }) => seen),
        );
        return answers.map((answered, n) => {
          const { file, seen: pixels } = pictures[n]!;
          const asked = { pixels, ...answerer.card.image };
          const data = () => answerPicture(asked, answered);
          return {
            text: showAnswer({ file, question }, answered, data, format, terminal),
            drawings: {
              svg: () => answerStrip(asked, question, answered, { theme: "auto" }),
              trace: async () =>
                (await import("../tasks/visual-questions/trace.ts")).answerTrace(asked, answered),
              page: () => ({ view: "image", title: `${question} ${answered.answer}` }),
            },
          };
        });
      },
      unread: (file, error) => unanswered(file, question, error, format),
      async example() {
        const { exampleScene } = await import("../tasks/scenes/example.ts");
        return { file: undefined, seen: exampleScene(seed).pixels };
      },
    });
  } finally {
    answerer.dispose();
  }
  finishPictures({ name: NAME, io, given, files });
}

/** A list of more words than this helps nobody. */
const MOST_LISTED = 60;

function unknownWords(unknown: readonly string[], { vocabulary }: QuestionAnswerer): string {
  const list = unknown.map((word) => JSON.stringify(word)).join(", ");
  const { words } = vocabulary;
  const known = words.length <= MOST_LISTED ? `; it knows ${words.join(", ")}` : "";
  return `the model does not know ${list}, and leaves ${unknown.length > 1 ? "them" : "it"} out${known}`;
}
