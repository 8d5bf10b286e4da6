import type { Statement } from "../statement.ts";

const SEEDS = [1, 2, 3] as const;

/** What a run is given. */
interface Run {
  seed: number;
  onProgress: (share: number) => void;
}

/** Figures of several seeds as one: the worst of each, which for those in `least` is the largest. */
async function worst(
  run: (options: Run) => Promise<Record<string, number>>,
  least: readonly string[],
  onProgress: (share: number) => void,
): Promise<Record<string, number>> {
  const { loadGradients } = await import("../../host/gradients.ts");
  const { useHeedBackend } = await import("../../host/select.ts");
  await loadGradients();
  await useHeedBackend();
  const figures: Record<string, number> = {};
  for (const [n, seed] of SEEDS.entries()) {
    const heard = (share: number) => onProgress((n + share) / SEEDS.length);
    for (const [name, value] of Object.entries(await run({ seed, onProgress: heard }))) {
      const pick = least.includes(name) ? Math.max : Math.min;
      figures[name] = name in figures ? pick(figures[name]!, value) : value;
    }
  }
  return figures;
}

/** What `heed prove` runs of attention over features and images. Figures are the worst of three seeds. */
export const featureStatements: readonly Statement[] = [
  {
    name: "product/masks",
    row: 14,
    statement:
      "Masks of the input multiply 2 to 4 numbers with a quarter of the parameters of plain layers at most.",
    bars: [
      { figure: "worstMse", atMost: 1e-3 },
      { figure: "share", atMost: 0.25 },
    ],
    quick: false,
    async run(onProgress) {
      const { loadGradients } = await import("../../host/gradients.ts");
      const { useHeedBackend } = await import("../../host/select.ts");
      const { compareProducts } = await import("./product.ts");
      await loadGradients();
      await useHeedBackend();
      return compareProducts(onProgress);
    },
  },
  {
    name: "feature-selection/learnable-gate",
    row: 27,
    statement:
      "With a penalty, the gates of a learnable gate tell the 5 features that matter from the 45 that do not.",
    bars: [{ figure: "auc", atLeast: 0.99 }],
    quick: false,
    async run(onProgress) {
      const { learnSelection } = await import("./selection.ts");
      return worst(
        async (options) => ({ ...(await learnSelection(options)) }),
        ["otherGate", "mse"],
        onProgress,
      );
    },
  },
  {
    name: "relevant-half/contextual-gate",
    row: 29,
    statement:
      "A contextual gate opens the half of the features that the context makes matter, and closes the other.",
    bars: [
      { figure: "accuracy", atLeast: 0.95 },
      { figure: "relevantGate", atLeast: 0.8 },
      { figure: "irrelevantGate", atMost: 0.2 },
    ],
    quick: true,
    async run(onProgress) {
      const { learnContext } = await import("./context.ts");
      const least = ["irrelevantGate", "ungatedAccuracy"];
      return worst(async (options) => ({ ...(await learnContext(options)) }), least, onProgress);
    },
  },
  {
    name: "linear-cost/sigmoid-gate",
    row: 31,
    statement:
      "Eight times the positions cost a gate about eight times the time, and attention in pairs about 64 times.",
    bars: [
      { figure: "gate", atMost: 10 },
      { figure: "attention", atLeast: 40 },
    ],
    quick: false,
    async run(onProgress) {
      const { useHeedBackend } = await import("../../host/select.ts");
      const { measureCost } = await import("./linear-cost.ts");
      await useHeedBackend();
      return { ...measureCost(onProgress) };
    },
  },
  {
    name: "useful-channel/squeeze-excitation",
    row: 37,
    statement:
      "Squeeze and excitation opens the one channel that is useful in an image, another in each, and closes the rest.",
    bars: [
      { figure: "ratio", atLeast: 2 },
      { figure: "accuracy", atLeast: 0.95 },
    ],
    quick: true,
    async run(onProgress) {
      const { learnChannel } = await import("./channel.ts");
      const least = ["otherGate", "ungatedAccuracy"];
      return worst(async (options) => ({ ...(await learnChannel(options)) }), least, onProgress);
    },
  },
  {
    name: "planted-object/spatial-attention",
    row: 38,
    statement:
      "Spatial attention finds the object in an image of noise: its map is twice as high inside as outside.",
    bars: [
      { figure: "ratio", atLeast: 2 },
      { figure: "accuracy", atLeast: 0.9 },
    ],
    quick: false,
    async run(onProgress) {
      const { learnObject } = await import("./object.ts");
      const least = ["outside", "ungatedAccuracy"];
      return worst(async (options) => ({ ...(await learnObject(options)) }), least, onProgress);
    },
  },
];
