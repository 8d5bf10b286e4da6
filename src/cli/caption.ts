import { Command } from "commander";
import type { CaptionOptions } from "../tasks/captioning/captioner.ts";
import { terminalCapabilities } from "../viz/terminal/capabilities.ts";
import { answerPictures, finishPictures } from "./answer-pictures.ts";
import { showCaption, uncaptioned } from "./caption-output.ts";
import { answerFormat, oneOf, wholeNumber } from "./flags.ts";
import type { Io } from "./io.ts";
import { OutputFiles } from "./output-files.ts";
import { PictureInput } from "./picture-input.ts";
import { COLORS } from "./translation-output.ts";

const NAME = "heed caption";
/** Pictures that are read and captioned together. */
const PICTURES_PER_BATCH = 32;

interface Flags {
  input?: string;
  model?: string;
  beam?: number;
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
Pictures are PNG or JPEG files of any size. They are made grey, at most 64 pixels wide and high, and inverted where their
border is light: the model knows scenes of one to four pieces of clothing on black, and says a caption of such
things of whatever it is shown. Without pictures their paths are read from standard input, one a line, and without
that an example is composed; --seed chooses another one. A picture that cannot be read is named on standard error,
leaves an empty line, and makes the exit code 2.
In a terminal the picture follows once for each word, with what the word looked at; elsewhere each line is a caption.

  heed caption scene.png
  heed caption --svg strip.svg scene.png
  heed caption --json < paths.txt > captions.jsonl
  heed caption --model captioning-hard scene.png
  heed caption --trace scene.attn scene.png   # then: heed show, svg, png, html scene.attn
`;

/** `heed caption [pictures…]`: what is in pictures, and where each word of that looked. */
export function captionCommand(io: Io): Command {
  return new Command("caption")
    .description("Captions pictures and shows where each word looked.")
    .argument(
      "[pictures...]",
      "PNG or JPEG files; their paths on standard input, one a line, when there are none",
    )
    .option("--input <file>", "reads the paths of pictures from a file, one a line")
    .option("--model <dir>", "name or folder of the model (default: captioning, which ships with heed)")
    .option(
      "--beam <n>",
      "captions kept at each word (default: the model's)",
      wholeNumber(NAME, "--beam", 1, 64, "try --beam 1"),
    )
    .option(
      "--seed <n>",
      "chooses the example where there is no picture",
      wholeNumber(NAME, "--seed", 0, 2 ** 24 - 1, "try --seed 2"),
      1,
    )
    .option("--json", "one object a line: picture, caption, probability, words, gates, weights")
    .option("--no-picture", "the captions alone, one a line")
    .option("--svg <file>", "also draw what each word looked at; several pictures go to file-1.svg, …")
    .option("--html <file>", "also write that as a page to click through, without a network")
    .option("--trace <file>", "also write that for heed show, svg, png and html")
    .option("--color <when>", "always, never or auto", oneOf(NAME, "--color", COLORS))
    .addHelpText("after", HELP)
    .action((pictures: string[], flags: Flags) => caption(pictures, flags, io));
}

async function caption(pictures: string[], flags: Flags, io: Io): Promise<void> {
  const { input, model, beam, color = "auto", seed } = flags;
  // Everything that can be wrong with the command line is found before the model is loaded.
  const files = new OutputFiles(NAME, flags);
  const given = new PictureInput(NAME, io, pictures, input);
  const terminal = terminalCapabilities({ env: io.env, stream: io.stdout, color });
  const format = answerFormat(flags, terminal);
  const [{ loadCaptioner }, { captionPicture, captionStrip }, { sceneOf }, { scenePixels }] =
    await Promise.all([
      import("../tasks/captioning/files.ts"),
      import("../tasks/captioning/draw.ts"),
      import("../data/pictures/index.ts"),
      import("../tasks/scenes/batches.ts"),
    ]);
  const captioner = await loadCaptioner(model);
  const options: CaptionOptions = beam === undefined ? {} : { beam };
  try {
    await answerPictures<Uint8Array>({
      ...{ name: NAME, io, given, files, batch: PICTURES_PER_BATCH },
      see: (picture) => sceneOf(picture).pixels,
      greys: (pixels) => pixels,
      answer(pictures) {
        const pixels = scenePixels(pictures.map(({ seen }) => ({ pixels: seen })));
        return captioner.caption(pixels, options).map((said, n) => {
          const { file, seen } = pictures[n]!;
          return {
            text: showCaption(file, said, () => captionPicture(seen, said), format, terminal),
            drawings: {
              svg: () => captionStrip(seen, said, { theme: "auto" }),
              trace: async () => (await import("../tasks/captioning/trace.ts")).captionTrace(seen, said),
              page: () => ({ view: "image", title: said.caption }),
            },
          };
        });
      },
      unread: (file, error) => uncaptioned(file, error, format),
      async example() {
        const { exampleScene } = await import("../tasks/scenes/example.ts");
        return { file: undefined, seen: exampleScene(seed).pixels };
      },
    });
  } finally {
    captioner.dispose();
  }
  finishPictures({ name: NAME, io, given, files });
}
