/** "Copy as code": the text as a program that runs in Node and in bundlers. */
import type { ModificationOptions } from "../../../src/core/expression/modification.ts";
import type { ArrayInfo } from "../../../src/core/notation.ts";
import { call, type Expression } from "../../call/call.ts";
import { print } from "../../call/print.ts";

/** Names that the program has for itself. */
export const NAMES = ["queries", "keys", "values", "result", "attention"] as const;

/** The program: the reader's own text, untouched, between the data and the call. */
export function codeOf(
  text: string,
  data: Readonly<Record<"queries" | "keys" | "values", Expression>>,
  functions: ModificationOptions<ArrayInfo>,
): string {
  const options = ["scoreMod", "maskMod", "tensors"].filter((name) => Object.hasOwn(functions, name));
  return [
    'import "heed/backend";',
    'import * as tf from "@tensorflow/tfjs-core";',
    'import { attention } from "heed/ops";',
    "",
    'await tf.setBackend("heed");',
    "",
    ...Object.entries(data).map(
      ([name, value]) => `const ${name} = ${print(call("tf.tensor4d", value), name.length + 9)};`,
    ),
    "",
    text.trim(),
    "",
    `const result = attention(queries, keys, values, { ${options.join(", ")}, weights: true });`,
    "",
    "result.weights.print();",
    "result.output.print();",
    "",
  ].join("\n");
}
