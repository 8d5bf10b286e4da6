/** Configurations that contradict themselves, gradients, padding, dropout and shared layers. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { HeedError } from "../../../src/core/errors.ts";
import {
  albert,
  bert,
  fromPublished,
  fullConfig,
  gpt2,
  gpt2Names,
  llama,
  publishedNames,
  Transformer,
  type TransformerConfig,
  t5,
  tokenLoss,
  transformerParameters,
  vaswani,
  vit,
} from "../../../src/models/transformer/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";

const firsts: number[] = [];
const SIZES = { layers: 2, width: 6, heads: 3, inner: 7, vocabulary: 11 };
const { layers: _layers, ...STACKS } = SIZES;
const tokens = idsOf([
  [3, 1, 4, 1, 5],
  [9, 2, 6, 5, 3],
]);

function idsOf(rows: number[][]): () => tf.Tensor2D {
  return () => tf.tensor2d(rows, [rows.length, rows[0]!.length], "int32");
}

/** A number that every output of a model takes part in. */
function scalarOf(model: Transformer): tf.Scalar {
  const { encoderLayers, decoderLayers, vocabulary, inputWidth, classes, head, pooler } = model.config;
  const labels = tokens();
  if (vocabulary === 0) {
    const patches = tf.reshape<tf.Rank.R3>(tf.sin(tf.range(0, 2 * 4 * inputWidth!)), [2, 4, inputWidth!]);
    return tf.sum(tf.square(model.classLogits(model.encode({ tokens: patches })))) as tf.Scalar;
  }
  const states = encoderLayers ? model.encode({ tokens: tokens(), lengths: [5, 3] }) : undefined;
  const read = decoderLayers ? model.decode({ tokens: tokens() }, states ? { memory: states } : {}) : states!;
  let sum = head
    ? tokenLoss(model.logits(read), labels, { smoothing: 0.1 })
    : (tf.mean(tf.square(read)) as tf.Scalar);
  if (pooler) sum = tf.add(sum, tf.mean(tf.square(model.pooled(read))));
  if (classes) sum = tf.add(sum, tf.mean(tf.square(model.classLogits(read))));
  return sum;
}

const CONFIGS: Record<string, TransformerConfig> = {
  bert: bert({ ...SIZES, positions: 8, classes: 3 }),
  albert: albert({ ...SIZES, layers: 3, embeddingWidth: 4, positions: 8 }),
  gpt2: gpt2({ ...SIZES, positions: 8 }),
  llama: llama({ ...SIZES, keyValueHeads: 1 }),
  vit: vit({ layers: 2, width: 6, heads: 3, inner: 7, patches: 4, patchSize: 5, classes: 3 }),
  t5: t5({ ...STACKS, encoderLayers: 1, decoderLayers: 1, headWidth: 2, gated: true }),
  vaswani: vaswani({ ...STACKS, encoderLayers: 1, decoderLayers: 1 }),
};

onEveryBackend("A Transformer", () => {
  it.each(Object.entries(CONFIGS))(
    "has the gradients of five-point differences, of every parameter: %s",
    (_, config) => {
      const model = new Transformer({ ...config, dropout: 0 }, 5);
      const { variables } = model.parameters;
      const { grads } = tf.variableGrads(() => scalarOf(model), Object.values(variables));
      for (const [name, variable] of Object.entries(variables)) {
        const gradient = Array.from(grads[variable.name]!.dataSync());
        expect(gradient.every(Number.isFinite), name).toBe(true);
        // A bias of keys adds the same to every score of a row, which a softmax does not see.
        if (!name.endsWith("key/bias"))
          expect(
            gradient.some((g) => g !== 0),
            name,
          ).toBe(true);
        // Along the gradient itself: the slope is its length. Losses near 3 are known to 2⁻²², so slopes above 1e-2 to 1 %.
        const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
        if (norm < 1e-2) continue;
        const start = variable.clone();
        const step = 0.003;
        const moved = (steps: number) =>
          tf.tidy(() => {
            variable.assign(tf.add(start, tf.mul(grads[variable.name]!, (steps * step) / norm)));
            return scalarOf(model).dataSync()[0]!;
          });
        // Five points: what is left of curvature falls with the fourth power of the step.
        const slope = (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * step);
        variable.assign(start);
        expect(Math.abs(slope - norm) / norm, `${name}: ${slope} and ${norm}`).toBeLessThan(0.02);
      }
      model.dispose();
    },
  );

  it("gives an example in a padded batch what it gives alone, whatever stands in the padding", () => {
    const model = new Transformer(CONFIGS.bert!, 2);
    const padded = model.encode({ tokens: tokens(), lengths: [5, 3] });
    const alone = model.encode({ tokens: idsOf([[9, 2, 6]])() });
    expect(distance(padded.dataSync().slice(30, 48), alone.dataSync())).toBeLessThan(1e-5);
    const other = model.encode({
      tokens: idsOf([
        [3, 1, 4, 1, 5],
        [9, 2, 6, 10, 0],
      ])(),
      lengths: [5, 3],
    });
    expect(distance(padded.dataSync().slice(0, 48), other.dataSync().slice(0, 48))).toBe(0);
  });

  it("drops by its seed alone, at each place other elements, and nothing without one", () => {
    const model = new Transformer({ ...CONFIGS.gpt2!, dropout: 0.3 }, 2);
    const states = (dropoutSeed?: number) => [
      ...model.decode({ tokens: tokens() }, { dropoutSeed }).dataSync(),
    ];
    expect(states(4)).toEqual(states(4));
    expect(states(4)).not.toEqual(states(5));
    expect(states()).toEqual(states());
    expect(states()).not.toEqual(states(4));
  });

  it("reads one set of weights in all layers that share them", () => {
    const shared = new Transformer(CONFIGS.albert!, 2);
    expect(
      Object.keys(shared.parameters.variables).filter((name) =>
        /encoder\/\d+\/self\/query\/weight/.test(name),
      ),
    ).toEqual(["encoder/0/self/query/weight"]);
    expect(shared.parameters.size).toBe(
      Object.values(transformerParameters(shared.config)).reduce(
        (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
        0,
      ),
    );
  });

  it("begins the same with the same seed, on every backend", () => {
    const values = (seed: number) => {
      const model = new Transformer(CONFIGS.llama!, seed);
      return [...model.parameters.variables["decoder/0/self/query/weight"]!.dataSync()];
    };
    expect(values(3)).toEqual(values(3));
    expect(values(3)).not.toEqual(values(4));
    firsts.push(...values(3));
    // The second backend must have drawn what the first did.
    expect(firsts.slice(-values(3).length)).toEqual(firsts.slice(0, values(3).length));
  });
});

describe("A configuration is refused before anything is made", () => {
  const config = CONFIGS.llama!;
  it.each<[string, object, string]>([
    ["a key that is none", { widht: 3 }, "every key must be one of "],
    [
      "heads that do not divide the width",
      { width: 7, keyValueHeads: 3 },
      "width C=7 must be a multiple of heads H=3 where headWidth is left out, got 7 and 3",
    ],
    [
      "key and value heads that do not divide the heads",
      { keyValueHeads: 2 },
      "heads H=3 must be a multiple of keyValueHeads Hkv=2, got 3 and 2",
    ],
    ["no layer", { decoderLayers: 0 }, "there must be a layer, got encoderLayers=0 and decoderLayers=0"],
    ["a dropout of 1", { dropout: 1 }, "dropout must be a number from 0 to below 1, got 1"],
    ["half a head", { heads: 1.5 }, "heads must be an integer ≥ 1, got 1.5"],
    [
      "an odd width to turn",
      { headWidth: 3 },
      "positions of kind rope turn pairs of channels: their width must be even, got 3",
    ],
    [
      "more groups than layers",
      { layerGroups: 3 },
      "layerGroups must be at most the layers of a stack, got 3 groups of 2 layers",
    ],
    [
      "vectors and tokens",
      { inputWidth: 4 },
      "inputs must be tokens (vocabulary ≥ 1) or vectors (inputWidth), got vocabulary=11 and inputWidth=4",
    ],
    [
      "another activation",
      { activation: "swish" },
      "activation must be relu or gelu or geluTanh or silu, got swish",
    ],
  ])("%s", (_, change, message) => {
    const before = tf.memory().numTensors;
    const make = () => new Transformer({ ...config, ...change } as TransformerConfig);
    expect(make).toThrow(HeedError);
    expect(make).toThrow(`Transformer: ${message}`);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("a sequence beyond the positions that there are", () => {
    const model = new Transformer(gpt2({ ...SIZES, positions: 4 }), 1);
    expect(() => model.decode({ tokens: tokens() })).toThrow(
      "Transformer: a sequence must end within the 4 positions of this model, got 5; cut the text, or use a model of more positions",
    );
  });

  it("a checkpoint that lacks a tensor, or has another one", () => {
    const specs = transformerParameters(fullConfig(CONFIGS.gpt2!));
    expect(Object.values(publishedNames(gpt2Names, specs))).toContain("transformer.h.1.attn.c_attn.weight");
    expect(() => fromPublished(gpt2Names, specs, () => undefined)).toThrow(
      "fromPublished: the checkpoint must have transformer.wte.weight, got none; load it with the configuration of its own architecture",
    );
    const wrong = () => ({ shape: [2, 3], values: new Float32Array(6) });
    expect(() => fromPublished(gpt2Names, specs, wrong)).toThrow(
      "fromPublished: transformer.wte.weight must have the 66 numbers of embedding/token [11, 6], got shape [2, 3]; " +
        "load it with the configuration that stands beside it",
    );
  });
});
