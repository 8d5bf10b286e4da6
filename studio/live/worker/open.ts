import { filesInMemory } from "../../../src/tasks/model-files.ts";
import type { ModelKind } from "../protocol.ts";
import type { FileBytes } from "./files.ts";
import type { LiveModel } from "./model.ts";

/** What reads each kind of model, loaded when it is asked for. */
const OPENERS: Readonly<Record<Exclude<ModelKind, "pretrained">, (files: FileBytes) => Promise<LiveModel>>> =
  {
    translation: async (files) => (await import("./translation.ts")).openTranslation(filesInMemory(files)),
    summary: async (files) => (await import("./summary.ts")).openSummary(filesInMemory(files)),
    "language-model": async (files) =>
      (await import("./language-model.ts")).openLanguageModel(filesInMemory(files)),
    captions: async (files) => (await import("./captions.ts")).openCaptions(filesInMemory(files)),
    detection: async (files) => (await import("./detection.ts")).openDetection(filesInMemory(files)),
    questions: async (files) => (await import("./questions.ts")).openQuestions(filesInMemory(files)),
    atoms: async (files) => {
      const [{ openAtoms }, { default: wasm }] = await Promise.all([
        import("./atoms.ts"),
        import("@rdkit/rdkit/RDKit_minimal.wasm?url"),
      ]);
      return openAtoms(filesInMemory(files), { wasm });
    },
    training: async () => (await import("./training.ts")).openTraining(),
  };

/** @throws Error with a message for the reader */
export async function openModel(kind: ModelKind, files: FileBytes): Promise<LiveModel> {
  if (kind === "pretrained") return openPublished(files);
  return OPENERS[kind](files);
}

/** A published model of the files that a reader opened. @throws Error with a message for the reader */
export async function openPublished(files: FileBytes): Promise<LiveModel> {
  return (await import("./pretrained.ts")).openPretrained(files);
}
