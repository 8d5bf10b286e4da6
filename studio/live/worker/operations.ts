import type { SubjectInput } from "../operate-protocol.ts";
import type { LiveModel } from "./model.ts";
import type { Subject } from "./subject.ts";

/**
 * The acts that operate on a model. The last subject is kept: a slider that is dragged asks for the same text many times.
 *
 * @param subjectOf the model with a text @throws Error with a message for the reader
 */
export function operations(
  subjectOf: (input: SubjectInput) => Subject,
): Pick<LiveModel["acts"], "operate" | "effects"> {
  let last: { key: string; subject: Subject } | undefined;
  const subject = ({ text, to }: SubjectInput) => {
    const key = JSON.stringify([text, to]);
    if (last?.key !== key) last = { key, subject: subjectOf({ text, to }) };
    return last.subject;
  };
  return {
    operate: async (input) => (await import("./operate.ts")).operate(subject(input), input.interventions),
    effects: async (input) => (await import("./operate.ts")).effects(subject(input), input.method),
  };
}
