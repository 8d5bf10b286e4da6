// Sets have no order. Slots gather the elements that belong together; object queries are matched with the objects that they
// stand for; a Set Transformer learns a function of sets; a Perceiver reads three kinds of input in one call; and a gated block
// changes nothing before it learns. Run: node examples/27-sets.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import { gatedCrossAttention, slotAttention } from "heed";
import { RandomStream } from "heed/core";
import { matchObjects, PerceiverIO, SetTransformer, SlotAttentionAutoencoder } from "heed/models";
import { Adam, namedGradients } from "heed/train";

await tf.setBackend("heed");
const random = new RandomStream(1);
const normal = (shape, deviation = 1) =>
  tf.tensor(random.fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), 0, deviation), shape);

// Twelve points in three heaps, mixed. Three slots compete for them: each point is shared among the slots by a softmax.
const heapOf = [...Array(12).keys()].map((n) => (n * 7) % 3);
const points = tf.add(tf.expandDims(tf.oneHot(tf.tensor1d(heapOf, "int32"), 3), 0), normal([1, 12, 3], 0.15));
const slots = tf.add(tf.expandDims(tf.mul(tf.eye(3), 0.3), 0), normal([1, 3, 3], 0.1));
// The recurrent unit takes over what a slot read, as it is, and the maps after it add nothing.
const gru = {
  input: tf.concat([tf.zeros([3, 6]), tf.eye(3)], 1),
  inputBias: tf.tensor1d([0, 0, 0, -9, -9, -9, 0, 0, 0]),
  hidden: tf.zeros([3, 9]),
  hiddenBias: tf.zeros([9]),
};
const { weights } = slotAttention(
  points,
  slots,
  {
    ...{ inputNorm: {}, slotNorm: {}, feedForwardNorm: {}, gru },
    ...{ wq: tf.mul(tf.eye(3), 3), wk: tf.eye(3), wv: tf.eye(3) },
    feedForward: { w1: tf.zeros([3, 3]), w2: tf.zeros([3, 3]) },
  },
  { weights: true },
);
console.log(`heap of each point ${heapOf.join(" ")}`);
console.log(`its slot           ${[...tf.argMax(weights, 1).dataSync()].join(" ")}`);

// A whole autoencoder of slots, before it learns: each paints a picture of its own, and every pixel is shared among them.
const size = { height: 8, width: 8, channels: 3, features: 8, convolutions: 1 };
const painter = new SlotAttentionAutoencoder(
  { ...size, slots: 3, slotWidth: 8, inner: 16, iterations: 3 },
  1,
);
const { masks } = painter.forward(normal([1, 8, 8, 3]), { seed: 1 });
console.log(`${masks.shape[1]} masks, which sum to ${tf.mean(tf.sum(masks, 1)).dataSync()[0].toFixed(2)}`);

// Three object queries said this of a scene with two objects. The matching of the least cost says which stands for which.
const predictions = {
  probabilities: [
    [0.7, 0.2, 0.1],
    [0.1, 0.2, 0.7],
    [0.3, 0.6, 0.1],
  ], // class 0, class 1, nothing
  boxes: [
    [0.3, 0.3, 0.2, 0.2],
    [0.5, 0.5, 0.9, 0.9],
    [0.7, 0.6, 0.2, 0.2],
  ], // centre, width and height
};
const objects = [
  { label: 1, box: [0.7, 0.7, 0.2, 0.2] },
  { label: 0, box: [0.3, 0.3, 0.2, 0.3] },
];
const said = matchObjects(predictions, objects).map(
  ([query, object]) => `query ${query} is object ${object}`,
);
console.log(said.join(", "));

// A Set Transformer learns the largest of up to six numbers, in 400 steps.
const sizes = { inputWidth: 1, width: 16, heads: 2, inner: 16, encoderLayers: 1, inducingPoints: 0 };
const model = new SetTransformer({ ...sizes, seeds: 1, decoderLayers: 0, outputs: 1 }, 1);
const adam = new Adam({ learningRate: 0.005 });
for (let step = 0; step < 400; step++) {
  const sets = Array.from({ length: 32 }, () => Array.from({ length: 6 }, () => random.uniform()));
  const lengths = sets.map(() => 1 + random.integer(6));
  const largest = sets.map((set, n) => Math.max(...set.slice(0, lengths[n])));
  const { grads } = namedGradients(model.parameters.variables, () =>
    tf.tidy(() => {
      const found = model.forward(tf.tensor3d(sets.flat(), [32, 6, 1]), { lengths });
      return tf.mean(tf.squaredDifference(tf.reshape(found, [32]), largest));
    }),
  );
  adam.apply(grads, model.parameters.variables);
  tf.dispose(grads);
}
const largestOf = (...numbers) =>
  model
    .forward(tf.tensor3d(numbers, [1, numbers.length, 1]))
    .dataSync()[0]
    .toFixed(1);
console.log(`largest of 0.2, 0.9, 0.4: ${largestOf(0.2, 0.9, 0.4)}; of 0.4, 0.2: ${largestOf(0.4, 0.2)}`);

// Text, an image and a sound in one call; each kind has positions and a width of its own.
const perceiver = new PerceiverIO(
  {
    inputs: {
      text: { shape: [16], bands: 4, vocabulary: 100 },
      image: { shape: [8, 8], bands: 3, width: 3 },
      sound: { shape: [50], bands: 8, width: 4 },
    },
    ...{ inputWidth: 16, latents: 8, width: 16, heads: 2, inner: 32, layers: 2 },
    ...{ queries: 0, queryWidth: 5, outputs: 10 },
  },
  1,
);
const text = tf.tensor2d([[7, 31, 5, 0]], [1, 4], "int32");
const latents = perceiver.encode({ text, image: normal([1, 8, 8, 3]), sound: normal([1, 50, 4]) });
console.log(
  `${latents.shape[1]} latents answer 6 queries: [${perceiver.decode(latents, normal([1, 6, 5])).shape}]`,
);

// Flamingo's block between the layers of a trained model: with its gates at 0 it is the identity, bit for bit.
const maps = { wq: normal([4, 2, 2]), wk: normal([3, 2, 2]), wv: normal([3, 2, 2]), wo: normal([2, 2, 4]) };
const block = (gate) => ({
  ...{ crossAttention: maps, crossNorm: {}, feedForwardNorm: {} },
  feedForward: { w1: normal([4, 8]), w2: normal([8, 4]) },
  ...{ attentionGate: tf.scalar(gate), feedForwardGate: tf.scalar(gate) },
});
const [x, memory] = [normal([1, 5, 4]), normal([1, 7, 3])];
const changes = (gate) => {
  const { output } = gatedCrossAttention({ x, memory }, block(gate));
  return tf.max(tf.abs(tf.sub(output, x))).dataSync()[0] > 0;
};
console.log(`shut gates change x: ${changes(0)}; open ones: ${changes(1)}`);

// Prints:
//   heap of each point 0 1 2 0 1 2 0 1 2 0 1 2
//   its slot           0 1 2 0 1 2 0 1 2 0 1 2
//   3 masks, which sum to 1.00
//   query 0 is object 1, query 2 is object 0
//   largest of 0.2, 0.9, 0.4: 0.9; of 0.4, 0.2: 0.4
//   8 latents answer 6 queries: [1,6,10]
//   shut gates change x: false; open ones: true
