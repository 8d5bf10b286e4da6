// Attention trains on the graphics card: TensorFlow.js' `webgpu` backend with heed's shaders, attention and its gradients
// among them. In Node WebGPU is the package `webgpu`; without a driver the same program runs on `heed`.
// Run: node examples/35-webgpu.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import { initializers, layers, input as makeInput, model as makeModel } from "@tensorflow/tfjs-layers";
import { RandomStream } from "heed/core";
import { LayerNormalization, MultiHeadAttention } from "heed/layers";
import { softmaxCrossEntropy } from "heed/ops";
import { Adam } from "heed/train";
import { useWebGpu } from "heed/webgpu";

const device = await useWebGpu().catch(() => undefined);
if (!device) await tf.setBackend("heed");
console.log(`trained on ${device ? `webgpu, ${device.adapter}` : "heed, for want of WebGPU"}`);

// Five boxes have different names and hold one of six things each: what is in the box of this name?
const [BOXES, NAMES, THINGS, BATCH, WIDTH] = [5, 6, 6, 48, 16];
const random = new RandomStream(1);
function batch() {
  const [asked, things, names, truth] = [[], [], [], []];
  for (let b = 0; b < BATCH; b++) {
    const own = random.shuffle(Array.from({ length: NAMES }, (_, name) => name)).slice(0, BOXES);
    const held = own.map(() => random.integer(THINGS));
    const box = random.integer(BOXES);
    names.push(own);
    things.push(held);
    asked.push([own[box]]);
    truth.push(held[box]);
  }
  const ids = (rows) => tf.tensor2d(rows, undefined, "int32");
  return { inputs: [ids(asked), ids(things), ids(names)], truth: tf.tensor1d(truth, "int32") };
}

const ids = (length) => makeInput({ shape: [length], dtype: "int32" });
const [asked, things, names] = [ids(1), ids(BOXES), ids(BOXES)];
const embedding = (inputDim, seed) => {
  const embeddingsInitializer = initializers.randomNormal({ stddev: 0.5, seed });
  return layers.embedding({ inputDim, outputDim: WIDTH, embeddingsInitializer });
};
const [ofNames, ofThings] = [embedding(NAMES, 1), embedding(THINGS, 2)];
// The query is the name, the keys are the names of the boxes, the values what they hold.
const heads = new MultiHeadAttention({ numHeads: 2, keyDim: 8, seed: 3 });
const read = heads.apply([ofNames.apply(asked), ofThings.apply(things), ofNames.apply(names)]);
const flat = layers.flatten().apply(new LayerNormalization().apply(read));
const kernelInitializer = initializers.glorotUniform({ seed: 5 });
const outputs = layers.dense({ units: THINGS, kernelInitializer }).apply(flat);
const model = makeModel({ inputs: [asked, things, names], outputs });
const variables = Object.fromEntries(model.trainableWeights.map(({ val }) => [val.name, val]));

const adam = new Adam({ learningRate: 0.02, clipNorm: 1 });
for (let step = 0; step <= 20; step++) {
  const { inputs, truth } = batch();
  const { value, grads } = tf.variableGrads(() =>
    tf.mean(softmaxCrossEntropy(model.apply(inputs, { training: true }), truth)),
  );
  // On the card numbers must be waited for: the norm of the gradients here, and the loss.
  await adam.applyAsync(grads, variables);
  if (step % 10 === 0) console.log(`step ${step}: loss ${(await value.data())[0].toFixed(2)}`);
  tf.dispose([inputs, truth, value, grads]);
}

const { inputs, truth } = batch();
const right = tf.tidy(() =>
  tf.mean(tf.cast(tf.equal(tf.argMax(model.predict(inputs), 1), truth), "float32")),
);
console.log(`right of ${BATCH} new ones: ${(100 * (await right.data())[0]).toFixed(0)} %`);

// Prints:
// trained on …
// step 0: loss 2.08
// step 10: loss 0.36
// step 20: loss 0.02
// right of 48 new ones: 100 %
