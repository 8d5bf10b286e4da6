// Makes studio/public/traces: what the studio shows at once, each by a model that ships with heed.
//
//   node tools/studio-traces.mjs
import "../dist/host/backend.js";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { capture } from "../dist/capture/index.js";
import { writeTrace } from "../dist/inspect/index.js";
import {
  captionTrace,
  DEFAULT_LANGUAGE_MODEL,
  drawnDigits,
  exampleScene,
  hiddenVideo,
  loadCaptioner,
  loadClassifier,
  loadLanguageModel,
  loadTracker,
  loadTranslator,
  TRACKING_SIDE,
  translationTrace,
} from "../dist/tasks/index.js";

const SENTENCE = "The little girl is reading an old book in the garden.";
const LINE = "To be, or not to be, that is the";
const SIDE = 64;
const PICTURE = 28;

/** What a sentence of French looked at in one of English. */
async function translation() {
  const translator = await loadTranslator();
  const [translated] = translator.translate([SENTENCE]);
  return translationTrace(/** @type {NonNullable<typeof translated>} */ (translated));
}

/** Every head of a language model of characters over a line. */
async function languageModel() {
  const { model, characters } = await loadLanguageModel(DEFAULT_LANGUAGE_MODEL);
  const tokens = tf.tensor2d(characters.encode("studio", LINE), [1, LINE.length], "int32");
  const options = { tokens: { characters: [...LINE] }, thumbnails: true };
  return capture((/** @type {tf.Tensor2D} */ ids) => model.decode({ tokens: ids }), tokens, options);
}

/** Every head of a Vision Transformer over a piece of clothing. */
async function picture() {
  const { pixels, items } = exampleScene(2);
  const [top, left] = /** @type {NonNullable<typeof items[0]>} */ (items[0]).box;
  const cut = Uint8Array.from({ length: PICTURE ** 2 }, (_, n) => {
    const [y, x] = [Math.floor(n / PICTURE) + Math.round(top), (n % PICTURE) + Math.round(left)];
    return pixels[y * SIDE + x] ?? 0;
  });
  return (await loadClassifier()).look(cut);
}

/** Where each word of a caption looked, and how far its gate opened. */
async function caption() {
  const { pixels } = exampleScene(1);
  const [said] = (await loadCaptioner()).caption(pixels);
  return captionTrace(pixels, /** @type {NonNullable<typeof said>} */ (said));
}

/** Where a tracker looked for a digit that is hidden for three frames. */
async function tracking() {
  const { frames, boxes } = hiddenVideo(drawnDigits(), 3, 0, 2);
  const first = /** @type {NonNullable<typeof boxes[0]>} */ (boxes[0]);
  return (await loadTracker()).look({ frames, height: TRACKING_SIDE, width: TRACKING_SIDE }, first);
}

/** The documents in the order of the list: file, title, what one sees, and how it is made. */
const DOCUMENTS = [
  {
    id: "translation",
    title: "A translation",
    about: "What each French word looked at while a Transformer translated a sentence.",
    make: translation,
  },
  {
    id: "language-model",
    title: "Twenty heads read Shakespeare",
    about: "Five layers of four heads, character by character, with their queries and keys.",
    make: languageModel,
  },
  {
    id: "picture",
    title: "A picture is classified",
    about: "A Vision Transformer over patches: which ones each patch looked at.",
    make: picture,
  },
  {
    id: "caption",
    title: "A picture is described",
    about: "Where Show, Attend and Tell looked for each word, and its gate.",
    make: caption,
  },
  {
    id: "tracking",
    title: "A digit is followed",
    about: "The Gaussian glimpses of a tracker, and the frames in which the digit is hidden.",
    make: tracking,
  },
];

/** A document's trace, made anew. */
export async function makeTrace(/** @type {string} */ id) {
  const document = DOCUMENTS.find((one) => one.id === id);
  const trace = await document?.make();
  if (!document || !trace) throw new Error(`${id}: there is no trace of that name`);
  return { ...trace, name: document.title };
}

/** The bytes of each document, by its file's name, and `traces.json`, which lists them. */
async function studioTraces() {
  /** @type {Map<string, Uint8Array>} */
  const files = new Map();
  const list = [];
  for (const { id, title, about } of DOCUMENTS) {
    const bytes = writeTrace(await makeTrace(id));
    files.set(`${id}.attn`, bytes);
    list.push({ id, title, about, bytes: bytes.length });
  }
  files.set("traces.json", new TextEncoder().encode(`${JSON.stringify(list, null, 2)}\n`));
  return files;
}

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const STUDIO_TRACES = path.join(root, "studio/public/traces");

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  mkdirSync(STUDIO_TRACES, { recursive: true });
  for (const [name, bytes] of await studioTraces()) writeFileSync(path.join(STUDIO_TRACES, name), bytes);
}
