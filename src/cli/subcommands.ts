import type { Command } from "commander";
import type { Io } from "./io.ts";

interface Subcommand {
  /** What `heed --help` lists it under. */
  group: string;
  name: string;
  /** The line that `heed --help` shows; the command says the same as a sentence. */
  description: string;
  load(io: Io): Promise<Command>;
}

/** Every subcommand, in the order of `heed --help`. Each is imported only when it is the one that was named. */
export const SUBCOMMANDS: readonly Subcommand[] = [
  {
    group: "Text:",
    name: "start",
    description: "translate a few sentences and show what each word looked at",
    load: async (io) => (await import("./start.ts")).startCommand(io),
  },
  {
    group: "Text:",
    name: "translate",
    description: "translate English to French, German or Spanish",
    load: async (io) => (await import("./translate.ts")).translateCommand(io),
  },
  {
    group: "Text:",
    name: "summarize",
    description: "sum up texts and show which words were copied, and from where",
    load: async (io) => (await import("./summarize.ts")).summarizeCommand(io),
  },
  {
    group: "Pictures, sounds and series:",
    name: "caption",
    description: "caption pictures and show where each word looked",
    load: async (io) => (await import("./caption.ts")).captionCommand(io),
  },
  {
    group: "Pictures, sounds and series:",
    name: "detect",
    description: "find items in pictures and show what queries looked at",
    load: async (io) => (await import("./detect.ts")).detectCommand(io),
  },
  {
    group: "Pictures, sounds and series:",
    name: "ask",
    description: "answer a question and show what its words looked at",
    load: async (io) => (await import("./ask.ts")).askCommand(io),
  },
  {
    group: "Pictures, sounds and series:",
    name: "track",
    description: "follow an object through the frames of a video",
    load: async (io) => (await import("./track.ts")).trackCommand(io),
  },
  {
    group: "Pictures, sounds and series:",
    name: "gate",
    description: "show what gates let through of a sound or a series",
    load: async (io) => (await import("./gate.ts")).gateCommand(io),
  },
  {
    group: "Published models:",
    name: "look",
    description: "run a published model and show the heads that are worth a look",
    load: async (io) => (await import("./look.ts")).lookCommand(io),
  },
  {
    group: "Published models:",
    name: "models",
    description: "fetch published models, list them and show their content",
    load: async (io) => (await import("./models.ts")).modelsCommand(io),
  },
  {
    group: "Published models:",
    name: "generate",
    description: "continue a text with a published model",
    load: async (io) => (await import("./generate.ts")).generateCommand(io),
  },
  {
    group: "Published models:",
    name: "embed",
    description: "turn texts into vectors and compare them",
    load: async (io) => (await import("./embed.ts")).embedCommand(io),
  },
  {
    group: "Published models:",
    name: "export",
    description: "write a published model as ONNX",
    load: async (io) => (await import("./export.ts")).exportCommand(io),
  },
  {
    group: "Published models:",
    name: "map-atoms",
    description: "map the atoms of reactions by what one head looks at",
    load: async (io) => (await import("./map-atoms.ts")).mapAtomsCommand(io),
  },
  {
    group: "Traces:",
    name: "show",
    description: "show a trace of attention in the terminal",
    load: async (io) => (await import("./show.ts")).showCommand(io),
  },
  {
    group: "Traces:",
    name: "svg",
    description: "draw a trace as an SVG picture",
    load: async (io) => (await import("./svg.ts")).svgCommand(io),
  },
  {
    group: "Traces:",
    name: "png",
    description: "draw a trace as a PNG picture",
    load: async (io) => (await import("./png.ts")).pngCommand(io),
  },
  {
    group: "Traces:",
    name: "html",
    description: "write a trace as one HTML page that works without a network",
    load: async (io) => (await import("./html.ts")).htmlCommand(io),
  },
  {
    group: "Traces:",
    name: "studio",
    description: "open the studio: look at traces and models in the browser",
    load: async (io) => (await import("./studio.ts")).studioCommand(io),
  },
  {
    group: "Training:",
    name: "data",
    description: "fetch the data sets that models are trained on",
    load: async (io) => (await import("./data.ts")).dataCommand(io),
  },
  {
    group: "Training:",
    name: "train",
    description: "train a model that heed ships",
    load: async (io) => (await import("./train.ts")).trainCommand(io),
  },
  {
    group: "Training:",
    name: "evaluate",
    description: "score a model on held-out data",
    load: async (io) => (await import("./evaluate.ts")).evaluateCommand(io),
  },
];
