/** The non-local block over the grid of a detector, and its parameters. */
import * as tf from "@tensorflow/tfjs-core";
import { nonLocal } from "../../../attention/feature/non-local.ts";
import { denseSpecs } from "../../maps.ts";
import type { ParameterSpecs, Parameters } from "../../parameters.ts";

/** Maps of θ, φ and g [C, D], and of z [D, C], which begins at 0: the block begins as the identity. */
export function nonLocalSpecs(name: string, C: number, D: number): ParameterSpecs {
  return {
    ...denseSpecs(`${name}/theta`, C, D),
    ...denseSpecs(`${name}/phi`, C, D),
    ...denseSpecs(`${name}/g`, C, D),
    ...denseSpecs(`${name}/z`, D, C, "zeros"),
  };
}

/**
 * What every cell of a grid is after it has read all cells: a non-local block of kind `embeddedGaussian`, which compares and
 * reads the cells with their places, and passes on what it read without them.
 *
 *     out_i = x_i + W_z Σ_j softmax_j(θ(x_i + p_i)·φ(x_j + p_j)) g(x_j + p_j)
 *
 * Shapes: x [B, N, C], places [N, C] → output [B, N, C], weights [B, N, N] where they are asked for.
 * Paper: Wang et al. 2018, §3, arxiv.org/abs/1711.07971, whose block knows no places.
 */
export function readAllCells(
  p: Parameters,
  name: string,
  x: tf.Tensor3D,
  places: tf.Tensor2D,
  wanted = false,
): { output: tf.Tensor3D; weights?: tf.Tensor3D } {
  const parameters = {
    ...{ wTheta: p.matrix(`${name}/theta/kernel`), bTheta: p.vector(`${name}/theta/bias`) },
    ...{ wPhi: p.matrix(`${name}/phi/kernel`), bPhi: p.vector(`${name}/phi/bias`) },
    ...{ wG: p.matrix(`${name}/g/kernel`), bG: p.vector(`${name}/g/bias`) },
    ...{ wZ: p.matrix(`${name}/z/kernel`), bZ: p.vector(`${name}/z/bias`) },
  };
  const scale = 1 / Math.sqrt(parameters.wTheta.shape[1]);
  const placed = tf.add<tf.Tensor3D>(x, places);
  const options: { scale: number; weights?: boolean } = { scale, weights: wanted };
  const { output, weights } = nonLocal(placed, parameters, options);
  return { output: tf.sub<tf.Tensor3D>(output, places), ...(weights && { weights }) };
}
