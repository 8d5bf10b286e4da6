import type { HeedKernel } from "../register.ts";

/** Losses [N], and the norms [N, 2] that the gradient needs (assembly/loss.ts). */
export const softmaxCrossEntropy: HeedKernel = ({ inputs: { logits, labels }, attrs, heap }) => {
  const [N, V] = logits.shape;
  const outs = [heap.output("softmaxCrossEntropy", [N]), heap.output("softmaxCrossEntropy", [N, 2])];
  const [x, ids, losses, norms] = [logits, labels, ...outs].map((tensor) => heap.address(tensor));
  heap.kernels.softmaxCrossEntropy(x, ids, losses, norms, N, V, attrs.smoothing as number);
  return outs;
};

/** Its gradient with respect to the logits. */
export const softmaxCrossEntropyGrad: HeedKernel = ({ inputs, attrs, heap }) => {
  const { logits, labels, norms, dloss } = inputs;
  const [N, V] = logits.shape;
  const grad = heap.output("softmaxCrossEntropy gradient", [N, V]);
  const addresses = [logits, labels, norms, dloss, grad].map((tensor) => heap.address(tensor));
  heap.kernels.softmaxCrossEntropyGrad(...addresses, N, V, attrs.smoothing as number);
  return grad;
};
