import { sceneOf } from "../../../src/data/pictures/grey-picture.ts";
import { ItemDetector } from "../../../src/tasks/detection/detector.ts";
import { drawDetections } from "../../../src/tasks/detection/draw.ts";
import { readModel } from "../../../src/tasks/detection/read.ts";
import { detectionTrace } from "../../../src/tasks/detection/trace.ts";
import type { ModelFiles } from "../../../src/tasks/model-files.ts";
import type { LiveModel } from "./model.ts";
import { type DecodePicture, decodePicture, seenPng } from "./picture.ts";
import { traceBytes } from "./trace-bytes.ts";

/** The detector of a model's files: boxes on the picture, and what each query looked at. */
export function openDetection(files: ModelFiles, decode: DecodePicture = decodePicture): LiveModel {
  const detector = new ItemDetector(readModel(files));
  return {
    facts: {},
    acts: {
      async see({ picture }) {
        const { pixels, inverted, side } = sceneOf(await decode(picture));
        const [look] = detector.look(pixels);
        const image = {
          height: side,
          width: side,
          values: Float64Array.from(pixels, (value) => value / 255),
        };
        return {
          found: look!.found,
          svg: drawDetections(image, look!, undefined, { theme: "auto" }),
          ...{ inverted, seen: seenPng(pixels, { height: side, width: side }) },
          trace: traceBytes(detectionTrace(pixels, look!)),
        };
      },
    },
    dispose: () => detector.dispose(),
  };
}
