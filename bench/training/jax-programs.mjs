/** The networks in jax-js. An array that is used twice has to be counted twice there: `ref`. */
import { LAYER_NORM_EPSILON, lastSide } from "./tasks.mjs";

/** @import { Data, Task, Values } from "./tasks.mjs" */
/** @typedef {(sizes: any, data: Data) => { loss: (p: any, data: any) => any, inputs: any }} Program */

/** @returns {Record<Task["kind"], Program>} */
export function jaxPrograms(/** @type {any} */ { lax, nn, numpy: np }) {
  const array = (/** @type {Values | undefined} */ given) => {
    const { values, shape } = /** @type {Values} */ (given);
    return np.array(values).reshape(shape);
  };

  function layerNorm(/** @type {any} */ x, /** @type {any} */ gamma, /** @type {any} */ beta) {
    const mean = np.mean(x.ref, -1, { keepdims: true });
    const centred = x.sub(mean);
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    const factor = np.reciprocal(np.sqrt(variance.add(LAYER_NORM_EPSILON)));
    return centred.mul(factor).mul(gamma).add(beta);
  }

  const crossEntropy = (/** @type {any} */ logits, /** @type {any} */ target) =>
    np.mean(np.sum(nn.logSoftmax(logits, -1).mul(target), -1)).neg();

  const oneHot = (/** @type {Int32Array} */ labels, /** @type {number} */ V) => {
    const values = new Float32Array(labels.length * V);
    for (const [example, label] of labels.entries()) values[example * V + label] = 1;
    return array({ values, shape: [labels.length, V] });
  };

  return {
    transformer({ B, T, C, H }, { x, y }) {
      const heads = (/** @type {any} */ rows) => rows.reshape([B, T, H, C / H]);
      const loss = (/** @type {any} */ p, /** @type {any} */ data) => {
        const normed = layerNorm(data.x.ref, p.gamma1, p.beta1);
        const q = heads(np.matmul(normed.ref, p.q));
        const k = heads(np.matmul(normed.ref, p.k));
        const v = heads(np.matmul(normed, p.v));
        const mixed = nn.dotProductAttention(q, k, v).reshape([B, T, C]);
        const z = data.x.add(np.matmul(mixed, p.o));
        const hidden = np.matmul(layerNorm(z.ref, p.gamma2, p.beta2), p.f1).add(p.b1);
        const out = z.add(np.matmul(nn.gelu(hidden, { approximate: false }), p.f2).add(p.b2));
        return np.mean(np.square(out.sub(data.y)));
      };
      return { loss, inputs: { x: array(x), y: array(y) } };
    },

    lstm({ T, B, H, V }, { x, labels }) {
      const loss = (/** @type {any} */ p, /** @type {any} */ data) => {
        const gates = np.split(np.matmul(data.x, p.W).add(p.b), T, 0);
        let [h, c] = [np.zeros([B, H]), np.zeros([B, H])];
        for (const step of gates) {
          const a = step.reshape([B, 4 * H]).add(np.matmul(h, p.U.ref));
          const [i, f, g, o] = np.split(a, 4, 1);
          c = nn
            .sigmoid(f)
            .mul(c)
            .add(nn.sigmoid(i).mul(np.tanh(g)));
          h = nn.sigmoid(o).mul(np.tanh(c.ref));
        }
        c.dispose();
        p.U.dispose();
        return crossEntropy(np.matmul(h, p.out).add(p.bias), data.target);
      };
      return { loss, inputs: { x: array(x), target: oneHot(labels, V) } };
    },

    conv({ B, N, C1, C2, V }, { x, labels }) {
      const side = lastSide(N);
      /** Channels first, as its convolution wants them; a filter comes as [height, width, in, out]. */
      const layer = (
        /** @type {any} */ input,
        /** @type {any} */ filter,
        /** @type {any} */ bias,
        /** @type {number} */ channels,
      ) => {
        const out = lax.conv(input, np.transpose(filter, [3, 2, 0, 1]), [1, 1], "VALID");
        return pool(nn.relu(out.add(bias.reshape([channels, 1, 1]))), channels);
      };
      const pool = (/** @type {any} */ image, /** @type {number} */ channels) => {
        const n = image.shape[2] >> 1;
        const even = image.slice([], [], [0, 2 * n], [0, 2 * n]);
        return np.max(even.reshape([B, channels, n, 2, n, 2]), [3, 5]);
      };
      const loss = (/** @type {any} */ p, /** @type {any} */ data) => {
        const deep = layer(layer(data.x, p.w1, p.b1, C1), p.w2, p.b2, C2);
        const flat = np.transpose(deep, [0, 2, 3, 1]).reshape([B, side * side * C2]);
        return crossEntropy(np.matmul(flat, p.out).add(p.bias), data.target);
      };
      return { loss, inputs: { x: array(x).reshape([B, 1, N, N]), target: oneHot(labels, V) } };
    },

    language({ layers, B, T, C, H, V }, { tokens, labels }) {
      const heads = (/** @type {any} */ rows) => rows.reshape([B, T, H, C / H]);
      const loss = (/** @type {any} */ p, /** @type {any} */ data) => {
        let x = np.matmul(data.tokens, p.token.ref).reshape([B, T, C]).add(p.position);
        for (let layer = 0; layer < layers; layer++) {
          const at = (/** @type {string} */ name) => p[`${layer}/${name}`];
          const affine = (/** @type {any} */ rows, /** @type {string} */ w, /** @type {string} */ b) =>
            np.matmul(rows, at(w)).add(at(b));
          const normed = layerNorm(x.ref, at("gamma1"), at("beta1"));
          const q = heads(affine(normed.ref, "q", "bq"));
          const k = heads(affine(normed.ref, "k", "bk"));
          const v = heads(affine(normed, "v", "bv"));
          const mixed = nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([B, T, C]);
          x = x.add(affine(mixed, "o", "bo"));
          const hidden = affine(layerNorm(x.ref, at("gamma2"), at("beta2")), "f1", "b1");
          x = x.add(affine(nn.gelu(hidden, { approximate: false }), "f2", "b2"));
        }
        const states = layerNorm(x, p.gamma, p.beta).reshape([B * T, C]);
        return crossEntropy(np.matmul(states, np.transpose(p.token)), data.target);
      };
      // Tokens are looked up by a product, as on the stock backend of TensorFlow.js.
      const inputs = { tokens: oneHot(/** @type {any} */ (tokens), V), target: oneHot(labels, V) };
      return { loss, inputs };
    },
  };
}
