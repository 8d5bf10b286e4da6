import * as tf from "@tensorflow/tfjs-core";

/**
 * Softmax plus one: a softmax that may choose nothing.
 *
 *     α_s = exp(e_s) / (1 + Σ_r exp(e_r))
 *
 * Symbols: e scores, α weights. Shapes: [..., S] → [..., S].
 * Conventions: rows sum to less than 1, and to almost nothing where all scores are low. It is the softmax with one
 * more key whose score is 0 and which has no value: the sink of the attention program, `sink: 0`, and `attend` runs
 * it as that. A score of −∞ hides its key: weight 0 and gradient 0; a row of −∞ alone gives 0 everywhere. Scores of
 * any size are safe. Differentiable. Also called softmax₁, quiet softmax and off-by-one attention.
 * Cost: O(size). Papers: Miller 2023, "Attention is off by one"; as one more logit already in PyTorch's
 * `add_zero_attn`; learned sinks: Xiao et al. 2023, §3.3, arxiv.org/abs/2309.17453.
 *
 * @draws
 * const i = tf.range(0, 12);
 * const distance = tf.abs(tf.sub(tf.reshape(i, [12, 1]), tf.reshape(i, [1, 12])));
 * return softmaxPlusOne(tf.sub(tf.reshape(tf.linspace(-4, 4, 12), [12, 1]), distance));
 * @example
 * softmaxPlusOne(tf.tensor2d([[0, Math.log(2), -Infinity]])); // [[0.25, 0.5, 0]]
 */
export function softmaxPlusOne<T extends tf.Tensor>(scores: T): T {
  return (scores.size === 0 ? tf.clone(scores) : tf.tidy(() => rowSoftmaxPlusOne(scores))) as T;
}

const rowSoftmaxPlusOne = tf.customGrad((scores, save) => {
  const most = tf.relu(tf.max(scores as tf.Tensor, -1, true));
  const exponentials = tf.exp(tf.sub(scores as tf.Tensor, most));
  const weights = tf.div(exponentials, tf.add(tf.exp(tf.neg(most)), tf.sum(exponentials, -1, true)));
  (save as tf.GradSaveFunc)([weights]);
  return {
    value: weights,
    gradFunc: (dweights: tf.Tensor, [p]: tf.Tensor[]) => {
      const product = tf.mul(dweights, p!);
      return tf.sub(product, tf.mul(tf.sum(product, -1, true), p!));
    },
  };
});
