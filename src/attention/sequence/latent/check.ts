import type * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../../core/errors.ts";
import { outOfRange } from "../../../core/faults.ts";
import { attentionShapes, checkRank } from "../../../core/shapes.ts";
import { checkTensors, type Expected } from "../../../ops/check.ts";
import type { MultiHeadLatentOptions, MultiHeadLatentParameters } from "./types.ts";

/**
 * The sizes of latent attention with keys and values made, D the whole width of a key.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 */
export function checkLatent(
  op: string,
  x: tf.Tensor3D,
  parameters: MultiHeadLatentParameters,
  { past, rotate, epsilon }: Pick<MultiHeadLatentOptions, "past" | "rotate" | "epsilon">,
) {
  const { wdkv, wuk, wuv, wdq, wuq, wkr, wqr, wo, gammaKv, gammaQ } = parameters;
  checkRank(op, "x [B, T, C]", x, 3);
  checkRank(op, "wdkv [C, R]", wdkv, 2);
  checkRank(op, "wuk [R, H, D]", wuk, 3);
  checkRank(op, "wuv [R, H, Dv]", wuv, 3);
  if (wdq) checkRank(op, "wdq [C, Rq]", wdq, 2);
  if (wkr) checkRank(op, "wkr [C, Dr]", wkr, 2);
  if (wo) checkRank(op, "wo [H, Dv, Cout]", wo, 3);
  if (past) checkRank(op, "past.latent [B, P, R]", past.latent, 3);
  const [B, T, C] = x.shape;
  const R = wdkv.shape[1];
  const [, H, D] = wuk.shape;
  const Dv = wuv.shape[2];
  const Rq = wdq ? wdq.shape[1] : C;
  const Dr = wkr ? wkr.shape[1] : 0;
  const P = past ? past.latent.shape[1] : 0;
  const together = (is: boolean, rule: string, got: string, remedy: string) => {
    if (!is) throw new ShapeError("SHAPE", { op, rule, got, remedy });
  };
  const place = "the two carry the positions";
  together(!wkr === !wqr, "wkr and wqr must come together", "one of them", place);
  together(
    !rotate || wkr !== undefined,
    "rotate must have wkr and wqr",
    "neither",
    "they are what it rotates",
  );
  together(
    !gammaQ || wdq !== undefined,
    "gammaQ must come with wdq",
    "gammaQ alone",
    "it is the norm of its latents",
  );
  const both = "past.positionKey and wkr must come together";
  together(
    !past || !past.positionKey === !wkr,
    both,
    "one of them",
    "pass the cache of a call with the same parameters",
  );
  const at = (name: string, tensor: tf.Tensor | undefined, letters: string, shape: number[]): Expected[] =>
    tensor ? [{ name, tensor, letters, shape }] : [];
  checkTensors(op, [
    ...at("x", x, "[B, T, C]", [B, T, C]),
    ...at("wdkv", wdkv, "[C, R]", [C, R]),
    ...at("wuk", wuk, "[R, H, D]", [R, H, D]),
    ...at("wuv", wuv, "[R, H, Dv]", [R, H, Dv]),
    ...at("wdq", wdq, "[C, Rq]", [C, Rq]),
    ...at("wuq", wuq, "[Rq, H, D]", [Rq, H, D]),
    ...at("wkr", wkr, "[C, Dr]", [C, Dr]),
    ...at("wqr", wqr, "[Rq, H, Dr]", [Rq, H, Dr]),
    ...at("wo", wo, "[H, Dv, Cout]", [H, Dv, wo ? wo.shape[2] : 0]),
    ...at("gammaKv", gammaKv, "[R]", [R]),
    ...at("gammaQ", gammaQ, "[Rq]", [Rq]),
    ...at("past.latent", past?.latent, "[B, P, R]", [B, P, R]),
    ...at("past.positionKey", past?.positionKey, "[B, P, Dr]", [B, P, Dr]),
  ]);
  if (epsilon !== undefined && !(epsilon > 0)) {
    throw new OptionError("OPTION", outOfRange({ op, name: "epsilon", rule: "above 0", got: epsilon }));
  }
  const array = (...shape: number[]) => ({ shape, dtype: "float32" });
  const key = array(B, P + T, H, D + Dr);
  return attentionShapes(op, array(B, T, H, D + Dr), key, array(B, P + T, H, Dv), "bthd");
}
