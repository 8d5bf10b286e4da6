import { Command } from "commander";
import type { Captioner, CaptionOptions } from "../tasks/captioning/captioner.ts";
import { type TerminalCapabilities, terminalCapabilities } from "../viz/terminal/capabilities.ts";
import { type CaptionFormat, showCaption, uncaptioned } from "./caption-output.ts";
import { oneOf, wholeNumber } from "./flags.ts";
import { EXIT, Exit, type Io, write } from "./io.ts";
import { OutputFiles } from "./output-files.ts";
import { type GivenPicture, PictureInput } from "./picture-input.ts";
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
  const { input, model, color = "auto", seed } = flags;
  // Everything that can be wrong with the command line is found before the model is loaded.
  const files = new OutputFiles(NAME, flags);
  const given = new PictureInput(NAME, io, pictures, input);
  const terminal = terminalCapabilities({ env: io.env, stream: io.stdout, color });
  const { loadCaptioner } = await import("../tasks/captioning/captioner.ts");
  const captioner = await loadCaptioner(model);
  const work = new Work(captioner, flags, terminal, files, io);
  try {
    for await (const batch of given.batches(PICTURES_PER_BATCH)) await work.take(batch);
    if (given.count === 0 && !given.isChosen) {
      io.stderr.write(`${NAME}: no picture was given; this one is an example\n`);
      const { exampleScene } = await import("../tasks/scenes/example.ts");
      await work.answer([{ file: undefined, pixels: exampleScene(seed).pixels }]);
    }
  } finally {
    captioner.dispose();
  }
  given.finish();
  for (const said of files.finish()) io.stderr.write(`${NAME}: ${said}\n`);
  if (given.failures > 0) throw new Exit(EXIT.usage);
}

/** A picture as the model reads it; one that could not be read has why. */
type Scene = { readonly file: string | undefined } & (
  | { readonly pixels: Uint8Array; readonly error?: undefined }
  | { readonly pixels?: undefined; readonly error: string }
);

/** A run over many pictures. */
class Work {
  readonly #captioner: Captioner;
  readonly #flags: Flags;
  readonly #terminal: TerminalCapabilities;
  readonly #files: OutputFiles;
  readonly #io: Io;

  constructor(
    captioner: Captioner,
    flags: Flags,
    terminal: TerminalCapabilities,
    files: OutputFiles,
    io: Io,
  ) {
    this.#captioner = captioner;
    this.#flags = flags;
    this.#terminal = terminal;
    this.#files = files;
    this.#io = io;
  }

  async take(batch: readonly GivenPicture[]): Promise<void> {
    const { sceneOf } = await import("../data/pictures/index.ts");
    await this.answer(
      batch.map(({ file, picture, error }) =>
        picture ? { file, pixels: sceneOf(picture).pixels } : { file, error },
      ),
    );
  }

  /** Captions scenes, and prints and draws them in their order. */
  async answer(scenes: readonly Scene[]): Promise<void> {
    const { captionPicture, captionStrip } = await import("../tasks/captioning/draw.ts");
    const { captionTrace } = await import("../tasks/captioning/trace.ts");
    const { beam } = this.#flags;
    const options: CaptionOptions = beam === undefined ? {} : { beam };
    const readable = scenes.flatMap(({ pixels }) => (pixels ? [pixels] : []));
    const captions = readable.length > 0 ? this.#captioner.caption(joined(readable), options) : [];
    for (const { file, pixels, error } of scenes) {
      if (!pixels) {
        await write(this.#io.stdout, uncaptioned(file ?? "", error, this.#format));
        await this.#files.add(undefined);
        continue;
      }
      const said = captions.shift()!;
      const data = () => captionPicture(pixels, said);
      await write(this.#io.stdout, showCaption(file, said, data, this.#format, this.#terminal));
      await this.#files.add({
        svg: () => captionStrip(pixels, said, { theme: "auto" }),
        trace: () => captionTrace(pixels, said),
        page: { view: "image", title: said.caption },
      });
    }
  }

  get #format(): CaptionFormat {
    const { json, picture } = this.#flags;
    if (json) return "json";
    return picture !== false && (this.#terminal.isTTY || this.#terminal.depth > 1) ? "picture" : "line";
  }
}

/** The pixels of pictures of one size, one after another. */
function joined(pictures: readonly Uint8Array[]): Uint8Array {
  const [{ length }] = pictures as [Uint8Array];
  const all = new Uint8Array(pictures.length * length);
  for (const [n, picture] of pictures.entries()) all.set(picture, n * length);
  return all;
}
