import { greyRectangle } from "../../../src/data/pictures/grey-picture.ts";
import type { ModelFiles } from "../../../src/tasks/model-files.ts";
import { QuestionAnswerer } from "../../../src/tasks/visual-questions/answerer.ts";
import { answerStrip } from "../../../src/tasks/visual-questions/draw.ts";
import { readModel } from "../../../src/tasks/visual-questions/read.ts";
import { answerTrace } from "../../../src/tasks/visual-questions/trace.ts";
import type { LiveModel } from "./model.ts";
import { type DecodePicture, decodePicture, seenPng } from "./picture.ts";
import { traceBytes } from "./trace-bytes.ts";

/** The answerer of a model's files: an answer, and what each word of the question looked at. */
export function openQuestions(files: ModelFiles, decode: DecodePicture = decodePicture): LiveModel {
  const answerer = new QuestionAnswerer(readModel(files));
  const { image } = answerer.card;
  return {
    facts: {},
    acts: {
      async see({ picture, question = "" }) {
        const { pixels, inverted } = greyRectangle(await decode(picture), { ...image, background: 0 });
        const answered = answerer.answer(question, pixels);
        const { answer, answers, unknown } = answered;
        const asked = { pixels, ...image };
        return {
          answered: { answer, answers: answers.slice(0, 5), unknown },
          svg: answerStrip(asked, question, answered, { theme: "auto" }),
          ...{ inverted, seen: seenPng(pixels, image) },
          trace: traceBytes(answerTrace(asked, answered)),
        };
      },
    },
    dispose: () => answerer.dispose(),
  };
}
