import { sceneOf } from "../../../src/data/pictures/grey-picture.ts";
import { Captioner } from "../../../src/tasks/captioning/captioner.ts";
import { captionStrip } from "../../../src/tasks/captioning/draw.ts";
import { readModel } from "../../../src/tasks/captioning/read.ts";
import { captionTrace } from "../../../src/tasks/captioning/trace.ts";
import type { ModelFiles } from "../../../src/tasks/model-files.ts";
import type { LiveModel } from "./model.ts";
import { type DecodePicture, decodePicture, seenPng } from "./picture.ts";
import { traceBytes } from "./trace-bytes.ts";

/** The captioner of a model's files: a caption, and the picture once for each word with where the word looked. */
export function openCaptions(files: ModelFiles, decode: DecodePicture = decodePicture): LiveModel {
  const captioner = new Captioner(readModel(files));
  return {
    facts: {},
    acts: {
      async see({ picture }) {
        const { pixels, inverted, side } = sceneOf(await decode(picture));
        const [caption] = captioner.caption(pixels);
        return {
          caption: caption!,
          svg: captionStrip(pixels, caption!, { theme: "auto" }),
          ...{ inverted, seen: seenPng(pixels, { height: side, width: side }) },
          trace: traceBytes(captionTrace(pixels, caption!)),
        };
      },
    },
    dispose: () => captioner.dispose(),
  };
}
