/** Makes the runs that a page shows until its models are there, and the scenes; tools/live-runs.mjs writes them. */
import { decodePicture } from "../../src/data/pictures/index.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import {
  createTrace,
  layerMap,
  readTrace,
  type Trace,
  traceTensor,
  writeTrace,
} from "../../src/inspect/index.ts";
import { filesOfFolder, shippedModel } from "../../src/tasks/model-folder.ts";
import { SCENE_SIDE } from "../../src/tasks/scenes/compose.ts";
import { exampleScene } from "../../src/tasks/scenes/example.ts";
import { encodePng } from "../../src/viz/index.ts";
import { FIRST } from "./first.ts";
import type { Traced } from "./protocol.ts";
import { openAtoms } from "./worker/atoms.ts";
import { openCaptions } from "./worker/captions.ts";
import { openDetection } from "./worker/detection.ts";
import { openLanguageModel } from "./worker/language-model.ts";
import type { LiveModel } from "./worker/model.ts";
import { openQuestions } from "./worker/questions.ts";
import { openSummary } from "./worker/summary.ts";
import { openTranslation } from "./worker/translation.ts";

/** The first run of a task as the text of its file. The picture that a model reads is the scene itself, and left out. */
function fileOf({ trace, ...output }: Traced & { seen?: unknown }): string {
  const { seen: _, ...kept } = output;
  const small = trace && Buffer.from(writeTrace(halved(readTrace(trace)))).toString("base64");
  return `${JSON.stringify({ output: kept, ...(small && { trace: small }) }, shortened)}\n`;
}

/** Numbers as far as a page shows them. */
const shortened = (_: string, value: unknown) =>
  typeof value === "number" ? Number(value.toPrecision(5)) : value;

/** A trace with its weights alone, in 16 bits. */
function halved(trace: Trace): Trace {
  return createTrace({
    ...trace,
    layers: trace.layers.map((layer) => {
      const { name, alignQ, alignK, H, T, S } = layer;
      const map = layerMap(layer);
      const values = Array.from({ length: H * T }, (_, row) =>
        Array.from(map.row(Math.floor(row / T), row % T).values),
      );
      const attn = traceTensor(
        [H, T, S],
        values.flat().map((value) => value || 0),
        "f16",
      );
      return { name, alignQ, alignK, attn, ...(layer.maskSpec && { maskSpec: layer.maskSpec }) };
    }),
  });
}

const readInNode = async (picture: Blob) => decodePicture(await picture.bytes(), "the scene");

/** Every file of studio/public/runs by its name. */
export async function makeRuns(): Promise<Record<string, string | Uint8Array>> {
  await useHeedBackend();
  const files: Record<string, string | Uint8Array> = {};
  for (const seed of FIRST.scenes)
    files[`scene-${seed}.png`] = encodePng({
      ...{ height: SCENE_SIDE, width: SCENE_SIDE, channels: 1 },
      data: exampleScene(seed).pixels,
    });
  const picture = new Blob([new Uint8Array(files[`scene-${FIRST.scenes[0]}.png`] as Uint8Array)]);
  const open = (name: string, opener: (files: ReturnType<typeof filesOfFolder>) => LiveModel) =>
    opener(filesOfFolder(shippedModel(name)));
  const runs: readonly [name: string, model: LiveModel, run: (model: LiveModel) => unknown][] = [
    [
      "translation",
      open("translation-en", openTranslation),
      ({ acts }) => acts.translate!(FIRST.translation, CONTEXT),
    ],
    [
      "summary",
      open("summarization-arxiv", openSummary),
      ({ acts }) => acts.summarize!(FIRST.summary, CONTEXT),
    ],
    [
      "language-model",
      open("language-model-shakespeare", openLanguageModel),
      ({ acts }) => acts.read!(FIRST.text, CONTEXT),
    ],
    [
      "captions",
      open("captioning", (of) => openCaptions(of, readInNode)),
      ({ acts }) => acts.see!({ picture }, CONTEXT),
    ],
    [
      "detection",
      open("detection", (of) => openDetection(of, readInNode)),
      ({ acts }) => acts.see!({ picture }, CONTEXT),
    ],
    [
      "questions",
      open("visual-questions", (of) => openQuestions(of, readInNode)),
      ({ acts }) => acts.see!({ picture, question: FIRST.question }, CONTEXT),
    ],
    [
      "atoms",
      open("atom-mapping", (of) => openAtoms(of)),
      ({ acts }) => acts.mapAtoms!({ text: FIRST.reaction }, CONTEXT),
    ],
  ];
  for (const [name, model, run] of runs) {
    files[`${name}.json`] = fileOf((await run(model)) as Traced);
    model.dispose();
  }
  return files;
}

const CONTEXT = { step: async () => undefined, isStopped: false };
