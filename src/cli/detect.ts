import { Command } from "commander";
import type { GreyPicture, RgbaPicture } from "../data/pictures/index.ts";
import type { SceneLook } from "../tasks/detection/detector.ts";
import { terminalCapabilities } from "../viz/terminal/capabilities.ts";
import { answerPictures, finishPictures } from "./answer-pictures.ts";
import { answerOf, drawnPicture, scenePicture, showAnswer, unread } from "./detect-output.ts";
import { numberFrom, oneOf, wholeNumber } from "./flags.ts";
import type { Io } from "./io.ts";
import { OutputFiles } from "./output-files.ts";
import { PictureInput } from "./picture-input.ts";
import { COLORS } from "./translation-output.ts";

const NAME = "heed detect";
/** Pictures are kept until their batch is answered, and may be large. */
const PICTURES_PER_BATCH = 8;
const LEAST_SCORE = 0.5;
/** A scene with three different items. */
const EXAMPLE = 1;

interface Flags {
  input?: string;
  model?: string;
  least?: number;
  seed: number;
  json?: boolean;
  svg?: string;
  html?: string;
  trace?: string;
  color?: (typeof COLORS)[number];
}

const HELP = `
Pictures are PNG or JPEG of any size. Without any, the paths of pictures are read from standard input, one a line, and without
that a scene of one to four pieces of clothing is looked at. Boxes are in pixels of the picture: x and y of the upper left
corner, width and height. A picture that cannot be read is named on standard error, and makes the exit code 2.

The model knows seven kinds of clothing: t-shirt, trouser, coat, sandal, sneaker, bag, boot; one to four of them on a
plain ground, none over another, each about two fifths of the picture wide. It sees 64 × 64 greys. Of other pictures it says
what they look like to it, which is mostly wrong.

  heed detect
  heed detect --svg found.svg wardrobe.png
  heed detect --json *.jpg > found.jsonl
  heed detect --trace found.attn wardrobe.png   # then: heed show, svg, png, html found.attn
`;

/** `heed detect [pictures…]`: which items a picture shows, where, and what each query looked at. */
export function detectCommand(io: Io): Command {
  return new Command("detect")
    .description("Finds items in pictures and shows what queries looked at.")
    .argument("[pictures...]", "PNG or JPEG files; paths on standard input, one a line, when there are none")
    .option("--input <file>", "reads the paths of pictures from a file, one a line")
    .option("--model <dir>", "folder of the weights and their card (default: the model that ships with heed)")
    .option(
      "--least <score>",
      `the least score of what is told, 0 to 1 (default: ${LEAST_SCORE})`,
      numberFrom(NAME, "--least", 0, 1, "try --least 0.3"),
    )
    .option(
      "--seed <n>",
      "chooses the example where there is no picture",
      wholeNumber(NAME, "--seed", 0, 2 ** 24 - 1, "try --seed 2"),
      EXAMPLE,
    )
    .option("--json", "one object a line: picture, width, height, items with name, score, box and attention")
    .option("--svg <file>", "also draw boxes and attention; several pictures go to file-1.svg, file-2.svg, …")
    .option("--html <file>", "also write that as a page to click through, without a network")
    .option("--trace <file>", "also write what was looked at, for heed show, svg, png and html")
    .option("--color <when>", "always, never or auto", oneOf(NAME, "--color", COLORS))
    .addHelpText("after", HELP)
    .action((pictures: string[], flags: Flags) => detect(pictures, flags, io));
}

async function detect(pictures: string[], flags: Flags, io: Io): Promise<void> {
  const { input, model, least = LEAST_SCORE, json = false, color = "auto", seed } = flags;
  // Everything that can be wrong with the command line is found before the model is loaded.
  const files = new OutputFiles(NAME, flags);
  const given = new PictureInput(NAME, io, pictures, input);
  const terminal = terminalCapabilities({ env: io.env, stream: io.stdout, color });
  const [{ loadDetector }, { drawDetections }, { sceneOf }, { scenePixels }] = await Promise.all([
    import("../tasks/detection/files.ts"),
    import("../tasks/detection/draw.ts"),
    import("../data/pictures/index.ts"),
    import("../tasks/scenes/batches.ts"),
  ]);
  const detector = await loadDetector(model);
  const see = (picture: RgbaPicture) => ({ picture, scene: sceneOf(picture) });
  const draw = ({ picture, scene, look }: Seen) =>
    drawDetections(drawnPicture(picture), look, scene, { theme: "auto" });
  try {
    await answerPictures<ReturnType<typeof see>>({
      ...{ name: NAME, io, given, files, batch: PICTURES_PER_BATCH },
      see,
      greys: ({ scene }) => scene.pixels,
      answer(pictures) {
        const looks = detector.look(scenePixels(pictures.map(({ seen }) => seen.scene)), { least });
        return pictures.map(({ file = "example", seen }, n) => {
          const one: Seen = { file, ...seen, look: looks[n]! };
          const answer = answerOf(one);
          return {
            text: json ? `${JSON.stringify(answer)}\n` : showAnswer(answer, one, terminal),
            drawings: {
              svg: () => draw(one),
              trace: async () =>
                (await import("../tasks/detection/trace.ts")).detectionTrace(one.scene.pixels, one.look),
              page: () => ({
                figures: [{ caption: "What was found, and what its query looked at.", svg: draw(one) }],
              }),
            },
          };
        });
      },
      unread: (file, error) => unread(file, error, json),
      async example() {
        const { exampleScene } = await import("../tasks/scenes/example.ts");
        return { file: undefined, seen: see(scenePicture(exampleScene(seed).pixels)) };
      },
    });
  } finally {
    detector.dispose();
  }
  finishPictures({ name: NAME, io, given, files });
}

/** A picture, the scene that was made of it, and what was found there. */
export interface Seen {
  readonly file: string;
  readonly picture: RgbaPicture;
  readonly scene: GreyPicture;
  readonly look: SceneLook;
}
