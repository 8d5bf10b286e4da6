import type * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { notAChoice } from "../../core/faults.ts";
import { checkTensors } from "../../ops/check.ts";
import { columnsOf, optional } from "./check.ts";
import { expectedNorm, type Norm } from "./norm.ts";

export type NonLocalKind = "embeddedGaussian" | "gaussian" | "dot" | "concatenation";

export interface NonLocalParameters {
  /** [C, D], queries; not for `gaussian`. */
  wTheta?: tf.Tensor2D;
  /** [D] @default none */
  bTheta?: tf.Tensor1D;
  /** [C, D], keys; not for `gaussian`. */
  wPhi?: tf.Tensor2D;
  /** [D]; moves all scores of a query alike, so `embeddedGaussian` does not notice it. @default none */
  bPhi?: tf.Tensor1D;
  /** [2·D], the weights of query and key; for `concatenation` alone. */
  wF?: tf.Tensor1D;
  /** [C, Dv], values. */
  wG: tf.Tensor2D;
  /** [Dv] @default none */
  bG?: tf.Tensor1D;
  /** [Dv, C]; zeros make the block the identity. */
  wZ: tf.Tensor2D;
  /** [C] @default none */
  bZ?: tf.Tensor1D;
  /** After wZ and bZ. @default none */
  norm?: Norm;
}

const KINDS: readonly NonLocalKind[] = ["embeddedGaussian", "gaussian", "dot", "concatenation"];

/** Throws unless the parameters are those that this kind needs for C channels. */
export function checkNonLocal(op: string, kind: NonLocalKind, p: NonLocalParameters, C: number): void {
  if (!KINDS.includes(kind)) {
    throw new OptionError(
      "OPTION",
      notAChoice({
        op,
        name: "kind",
        choices: KINDS.map((name) => `"${name}"`),
        got: kind,
      }),
    );
  }
  const Dv = columnsOf(op, "wG [C, Dv]", p.wG);
  checkTensors(op, [
    { name: "wG", tensor: p.wG, letters: "[C, Dv]", shape: [C, Dv] },
    ...optional("bG", p.bG, "[Dv]", [Dv]),
    { name: "wZ", tensor: p.wZ, letters: "[Dv, C]", shape: [Dv, C] },
    ...optional("bZ", p.bZ, "[C]", [C]),
    ...expectedNorm("norm", p.norm, "C", C),
  ]);
  const { wTheta, wPhi, wF } = p;
  for (const [name, given] of Object.entries({ wTheta, wPhi, bTheta: p.bTheta, bPhi: p.bPhi, wF })) {
    const needed = name === "wF" ? kind === "concatenation" : name.startsWith("w") && kind !== "gaussian";
    const allowed = needed || (name.startsWith("b") && kind !== "gaussian");
    if (given ? !allowed : needed) {
      throw new OptionError("CONFLICT", {
        op,
        rule: `kind "${kind}" ${needed ? "needs" : "has no"} ${name}`,
        got: given ? "one" : "none",
        remedy: `${needed ? "give it" : "leave it out"} or choose another kind`,
      });
    }
  }
  if (!wTheta) return;
  const D = columnsOf(op, "wTheta [C, D]", wTheta);
  checkTensors(op, [
    { name: "wTheta", tensor: wTheta, letters: "[C, D]", shape: [C, D] },
    ...optional("bTheta", p.bTheta, "[D]", [D]),
    ...optional("wPhi", wPhi, "[C, D]", [C, D]),
    ...optional("bPhi", p.bPhi, "[D]", [D]),
    ...optional("wF", wF, "[2·D]", [2 * D]),
  ]);
}
