// Attention of spiking neurons, which only add, and attention by quantum circuits, simulated: how each looks at a few words,
// and where its gradient comes from. Run: node examples/28-spikes-and-qubits.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import {
  adjointGradient,
  entanglingAnsatz,
  leakyIntegrateAndFire,
  parameterShift,
  quantumSelfAttention,
  runCircuit,
  spike,
  spikingAttention,
  spikingOperations,
} from "heed";
import { QuantumSelfAttentionNetwork, Spikformer } from "heed/models";

await tf.setBackend("heed");
// Two digits, and no −0.
const show = (numbers) => Array.from(numbers, (x) => (Math.round(100 * x) / 100 || 0).toFixed(2)).join(" ");

// Three neurons with currents of different strength: each adds up, leaks, fires and begins again.
const currents = tf.tile(tf.tensor2d([[0.9, 1.2, 2.5]]), [8, 1]);
const { spikes } = leakyIntegrateAndFire(currents);
for (const [n, row] of tf.transpose(spikes).arraySync().entries())
  console.log(`neuron ${n}: ${row.join(" ")}`);
// A step has no slope to learn by: a smooth curve's stands in for it, as a surrogate.
const slopes = tf.grad((x) => spike(x))(tf.tensor1d([-1, -0.5, 0, 0.5, 1]));
console.log(`surrogate slopes: ${show(slopes.dataSync())}`);

// Queries, keys and values of spikes: weights are counts of shared spikes, and there is nothing to multiply.
const random = (seed) =>
  tf.cast(tf.less(tf.randomUniform([1, 1, 4, 16], 0, 1, "float32", seed), 0.3), "float32");
const [q, k, v] = [1, 2, 3].map(random);
const { weights } = spikingAttention(q, k, v, { scale: 1, weights: true });
console.log(
  `shared spikes: ${weights
    .arraySync()[0][0]
    .map((row) => row.join(" "))
    .join(" | ")}`,
);
const { accumulations, multiplyAccumulates } = spikingOperations(q, k, v);
console.log(
  `${accumulations} additions, where real numbers would take ${multiplyAccumulates} multiplications`,
);

// Simulated qubits: three words as angles, each looks most at those whose key is near its query.
const words = tf.tensor3d(
  [
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
    [2, 1, -1, 1, 2, 3],
  ].flat(),
  [1, 3, 6],
);
const [query, key, value] = [0.4, 0.4, 0.1].map((angle) => tf.fill([6], angle));
const quantum = quantumSelfAttention(words, { query, key, value }, { weights: true });
for (const row of quantum.weights.arraySync()[0]) console.log(`simulated weights: ${show(row)}`);

// One circuit's gradient, from the simulated state and as a quantum computer could measure it.
const circuit = entanglingAnsatz(3);
const angles = Array.from({ length: circuit.angles }, (_, n) => 0.3 * n);
const z = [{ axis: "z", qubit: 0 }];
console.log(`norm ${runCircuit(circuit, angles).norm().toFixed(10)}`);
console.log(`adjoint method:  ${show(adjointGradient(circuit, angles, z, [1]))}`);
console.log(`parameter shift: ${show(parameterShift(circuit, angles, z)[0])}`);

// Whole models, before they learn: a Spikformer reads the events of four patches over six steps, and simulated circuits a sentence.
const sizes = { patches: 4, events: 8, width: 16, heads: 2, inner: 24, layers: 1, classes: 3 };
const events = tf.cast(tf.less(tf.randomUniform([6, 1, 4, 8], 0, 1, "float32", 4), 0.4), "float32");
const kinds = new Set();
const onSpikes = (_, parts) => {
  for (const part of Object.values(parts)) for (const value of part.dataSync()) kinds.add(value);
};
const spiking = new Spikformer(sizes, 1).logits(events, { onSpikes });
console.log(
  `Spikformer: ${spiking.shape[1]} classes, from queries, keys and values of ${[...kinds].sort().join(" and ")}`,
);
const circuits = new QuantumSelfAttentionNetwork({ vocabulary: 11, qubits: 2, layers: 1 }, 1);
const sentence = tf.tensor2d([[1, 2, 3]], [1, 3], "int32");
const judged = circuits.logits(sentence, { lengths: [3] });
console.log(
  `simulated network: ${judged.size} number for a sentence, ${circuits.parameters.size} parameters`,
);

// Prints:
//   neuron 0: 0 0 0 0 0 0 0 0
//   neuron 1: 0 0 1 0 0 1 0 0
//   neuron 2: 1 1 1 1 1 1 1 1
//   surrogate slopes: 0.07 0.42 1.00 0.42 0.07
//   shared spikes: 3 0 2 3 | 1 0 2 2 | 0 0 1 2 | 0 0 2 1
//   73 additions, where real numbers would take 512 multiplications
//   simulated weights: 0.44 0.44 0.12
//   simulated weights: 0.44 0.44 0.12
//   simulated weights: 0.17 0.17 0.66
//   norm 1.0000000000
//   adjoint method:  0.00 0.21 0.00 -0.54 -0.25 0.06 0.14 0.00 0.00
//   parameter shift: 0.00 0.21 0.00 -0.54 -0.25 0.06 0.14 0.00 0.00
//   Spikformer: 3 classes, from queries, keys and values of 0 and 1
//   simulated network: 1 number for a sentence, 91 parameters
