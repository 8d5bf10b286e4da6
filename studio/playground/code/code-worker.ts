/** Runs written code, away from the page. */
import { withoutTensors } from "../../call/functions.ts";
import { Interpreter, messageOf } from "../../script/interpret.ts";
import { parseScript, ScriptError } from "../../script/parse.ts";
import { codeOfMechanism } from "../catalogue/code.ts";
import { optionsOf } from "../catalogue/options.ts";
import { panelsOf } from "../catalogue/panels.ts";
import { attentionScope } from "../catalogue/scope.ts";
import { answerScore } from "../score/answer.ts";
import type { CodeFailure, CodeReply, CodeRequest, MechanismAnswer } from "./protocol.ts";

const reply = (message: CodeReply) => postMessage(message);

function answerMechanism(text: string): MechanismAnswer {
  const program = parseScript(text);
  const about = { options: optionsOf(program), code: codeOfMechanism(text, program) };
  try {
    return {
      ...about,
      panels: withoutTensors(() => panelsOf(new Interpreter().run(program.body, attentionScope()))),
    };
  } catch (error) {
    return { ...about, panels: [], failure: failureOf(error) };
  }
}

function failureOf(error: unknown): CodeFailure {
  if (!(error instanceof ScriptError)) return { message: messageOf(error) };
  const { message, line, column } = error;
  return { message, line, column };
}

globalThis.onmessage = ({ data }: MessageEvent<CodeRequest & { id: number }>) => {
  const { id } = data;
  try {
    reply({ id, answer: data.do === "mechanism" ? answerMechanism(data.text) : answerScore(data) });
  } catch (error) {
    reply({ id, failure: failureOf(error) });
  }
};

reply({ ready: true });
