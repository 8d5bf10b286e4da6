import type { Command } from "commander";
import type { Io } from "./io.ts";

interface Subcommand {
  name: string;
  /** The line that `heed --help` shows; the command says the same as a sentence. */
  description: string;
  load(io: Io): Promise<Command>;
}

/** Every subcommand, in the order of `heed --help`. Each is imported only when it is the one that was named. */
export const SUBCOMMANDS: readonly Subcommand[] = [
  {
    name: "start",
    description: "translate a few sentences and show what each word looked at",
    load: async (io) => (await import("./start.ts")).startCommand(io),
  },
  {
    name: "translate",
    description: "translate English to French, German or Spanish",
    load: async (io) => (await import("./translate.ts")).translateCommand(io),
  },
  {
    name: "look",
    description: "run a published model and show the heads that are worth a look",
    load: async (io) => (await import("./look.ts")).lookCommand(io),
  },
  {
    name: "models",
    description: "fetch published models, list them and show their content",
    load: async (io) => (await import("./models.ts")).modelsCommand(io),
  },
  {
    name: "generate",
    description: "continue a text with a published model",
    load: async (io) => (await import("./generate.ts")).generateCommand(io),
  },
  {
    name: "embed",
    description: "turn texts into vectors and compare them",
    load: async (io) => (await import("./embed.ts")).embedCommand(io),
  },
  {
    name: "export",
    description: "write a published model as ONNX",
    load: async (io) => (await import("./export.ts")).exportCommand(io),
  },
  {
    name: "map-atoms",
    description: "map the atoms of reactions by what one head looks at",
    load: async (io) => (await import("./map-atoms.ts")).mapAtomsCommand(io),
  },
  {
    name: "show",
    description: "show a trace of attention in the terminal",
    load: async (io) => (await import("./show.ts")).showCommand(io),
  },
  {
    name: "svg",
    description: "draw a trace as an SVG picture",
    load: async (io) => (await import("./svg.ts")).svgCommand(io),
  },
  {
    name: "png",
    description: "draw a trace as a PNG picture",
    load: async (io) => (await import("./png.ts")).pngCommand(io),
  },
  {
    name: "html",
    description: "write a trace as one HTML page that works without a network",
    load: async (io) => (await import("./html.ts")).htmlCommand(io),
  },
  {
    name: "data",
    description: "fetch the data sets that models are trained on",
    load: async (io) => (await import("./data.ts")).dataCommand(io),
  },
  {
    name: "train",
    description: "train a model that heed ships",
    load: async (io) => (await import("./train.ts")).trainCommand(io),
  },
  {
    name: "evaluate",
    description: "score a model on held-out data",
    load: async (io) => (await import("./evaluate.ts")).evaluateCommand(io),
  },
];
