/** "Copy as code": a mechanism's code as a program that runs in Node and in bundlers. */
import type { AnyNode, Program } from "acorn";
import { printImport } from "../../call/print.ts";
import { childrenOf } from "../../script/parse.ts";
import { isMechanism } from "./scope.ts";

/** The names that a program reads. */
function namesIn(node: AnyNode, names = new Set<string>()): Set<string> {
  if (node.type === "Identifier") names.add(node.name);
  const isPlainMember = node.type === "MemberExpression" && !node.computed;
  for (const child of childrenOf(node))
    if (!(isPlainMember && child === node.property)) namesIn(child as AnyNode, names);
  return names;
}

export function codeOfMechanism(text: string, program: Program): string {
  const imported = [...namesIn(program)].filter(isMechanism).sort();
  return [
    'import "heed/backend";',
    'import * as tf from "@tensorflow/tfjs-core";',
    // Its core alone knows no gradients; its layers bring them.
    ...(/\btf\.grad\(/.test(text) ? ['import "@tensorflow/tfjs-layers";'] : []),
    ...(imported.length > 0 ? [printImport(imported)] : []),
    "",
    'await tf.setBackend("heed");',
    "",
    "const draw = () => {",
    ...text
      .trim()
      .split("\n")
      .map((line) => (line === "" ? "" : `  ${line}`)),
    "};",
    "",
    "const result = draw();",
    "console.log(result.arraySync?.() ?? result);",
    "",
  ].join("\n");
}
