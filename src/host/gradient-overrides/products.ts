import { broadcastTo, einsum, type GradConfig, matMul, reshape, type Tensor } from "@tensorflow/tfjs-core";
import { unbroadcast } from "./shapes.ts";

/** C = op(A) op(B): dA = dC op(B)ᵀ, dB = op(A)ᵀ dC, transposed where the operand was; what was repeated is summed. */
const matMulGradient: GradConfig = {
  kernelName: "BatchMatMul",
  inputsToSave: ["a", "b"],
  gradFunc: (dys, [a, b], attrs) => {
    const dy = dys as Tensor;
    const { transposeA, transposeB } = attrs as unknown as Record<"transposeA" | "transposeB", boolean>;
    const da = () => (transposeA ? matMul(b!, dy, transposeB, true) : matMul(dy, b!, false, !transposeB));
    const db = () => (transposeB ? matMul(dy, a!, true, transposeA) : matMul(a!, dy, !transposeA, false));
    return { a: () => unbroadcast(da(), a!.shape), b: () => unbroadcast(db(), b!.shape) };
  },
};

/** The gradient of a term is the sum in which the output takes its place; letters of its own were repeated. */
const einsumGradient: GradConfig = {
  kernelName: "Einsum",
  saveAllInputs: true,
  gradFunc: (dy, saved, attrs) => {
    const [left, output] = (attrs.equation as string).replace(/\s/g, "").split("->") as [string, string];
    const terms = left.split(",");
    const gradient = (at: number) => {
      const [term, other] = [terms[at]!, terms[1 - at]];
      const known = [...term].filter((letter) => output.includes(letter) || other?.includes(letter));
      const equation = `${[output, ...(other === undefined ? [] : [other])].join(",")}->${known.join("")}`;
      const operands = other === undefined ? [dy as Tensor] : [dy as Tensor, saved[1 - at]!];
      const dx = einsum(equation, ...operands);
      if (known.length === term.length) return dx;
      const { shape } = saved[at]!;
      const kept = shape.map((size, i) => (known.includes(term[i]!) ? size : 1));
      return broadcastTo(reshape(dx, kept), shape);
    };
    return Object.fromEntries(terms.map((_, at) => [at, () => gradient(at)]));
  },
};

/** Gradients of products. */
export const productGradients: readonly GradConfig[] = [matMulGradient, einsumGradient];
