import { Command } from "commander";
import { HeedError } from "../core/errors.ts";
import type { AtomMap, AtomMapper } from "../tasks/atom-mapping/mapper.ts";
import { atomMapTrace, atomNames } from "../tasks/atom-mapping/trace.ts";
import { type TerminalCapabilities, terminalCapabilities } from "../viz/terminal/capabilities.ts";
import { drawAtomMap, showAtomMap, unmapped } from "./atom-map-output.ts";
import { finishRun } from "./finish-run.ts";
import { type AnswerFormat, answerFormat, checkOnePlace, oneOf } from "./flags.ts";
import { type Io, write } from "./io.ts";
import { LineInput } from "./line-input.ts";
import { OutputFiles } from "./output-files.ts";
import { COLORS } from "./translation-output.ts";

const NAME = "heed map-atoms";
/** A fluorine of 2,3-difluoropyridine gives way to a thiol, in DMF with potash. */
export const REACTION = "CC(C)S.CN(C)C=O.Fc1cccnc1F.O=C([O-])[O-].[K+].[K+]>>CC(C)Sc1ncccc1F";
/** Each reaction is mapped and answered by itself. */
const LINES_PER_BATCH = 32;

interface Flags {
  input?: string;
  /** False with `--as-written`. */
  asWritten?: boolean;
  model?: string;
  json?: boolean;
  /** False with `--no-picture`. */
  picture?: boolean;
  svg?: string;
  html?: string;
  trace?: string;
  color?: (typeof COLORS)[number];
}

const HELP = `
A reaction is reactants>>products in SMILES, with "." between molecules; agents may stand in the middle,
reactants>agents>products. The fragments of a salt are joined by "~", or listed behind the reaction: |f:0.1|. Quote each one.
Without any, reactions are read from standard input, one a line, and without that an example is mapped.
A reaction that cannot be mapped is named on standard error, leaves an empty line, and makes the exit code 2.
In a terminal a heat map follows, of what each product atom looked at; elsewhere each line is the mapped reaction, a tab, and
its confidence.

  heed map-atoms "CC(=O)O.NCC>>CCNC(C)=O"
  heed map-atoms --json < reactions.txt > mapped.jsonl
  heed map-atoms --svg amide.svg "CC(=O)O.NCC>>CCNC(C)=O"
  heed map-atoms --trace amide.attn "CC(=O)O.NCC>>CCNC(C)=O"   # then: heed show, svg, png, html amide.attn
`;

/** `heed map-atoms [reactions…]`: which atom of the reactants each atom of the products was. */
export function mapAtomsCommand(io: Io): Command {
  return new Command("map-atoms")
    .description("Maps the atoms of reactions by what one head looks at.")
    .argument("[reactions...]", "reactions in SMILES; standard input, one a line, when there are none")
    .option("--input <file>", "reads reactions from a file, one a line")
    .option("--as-written", "keeps molecules as they are written, in place of rewriting and sorting them")
    .option("--model <dir>", "folder of the weights and their card (default: the model that ships with heed)")
    .option(
      "--json",
      "one object a line: reaction, mapped, confidence; unknown where the model never saw a token",
    )
    .option("--no-picture", "the mapped reaction and its confidence alone, one a line")
    .option("--svg <file>", "also draw what product atoms looked at; several reactions go to file-1.svg, …")
    .option("--html <file>", "also write that as a page to click through, without a network")
    .option("--trace <file>", "also write that for heed show, svg, png and html")
    .option("--color <when>", "always, never or auto", oneOf(NAME, "--color", COLORS))
    .addHelpText("after", HELP)
    .action((reactions: string[], flags: Flags) => mapAtoms(reactions, flags, io));
}

async function mapAtoms(reactions: string[], flags: Flags, io: Io): Promise<void> {
  const { input, model, color = "auto" } = flags;
  checkOnePlace(NAME, "reactions", reactions, input);
  // Everything that can be wrong with the command line is found before the model is loaded.
  const files = new OutputFiles(NAME, flags);
  const lines = new LineInput(NAME, io, reactions, { file: input });
  const terminal = terminalCapabilities({ env: io.env, stream: io.stdout, color });
  const { loadAtomMapper } = await import("../tasks/atom-mapping/files.ts");
  const mapper = await loadAtomMapper(model);
  const work = new Work(mapper, flags, terminal, files, io);
  try {
    const noun = reactions.length > 0 ? "reaction" : "line";
    for await (const batch of lines.batches(LINES_PER_BATCH)) await work.take(batch, noun);
    if (work.count === 0 && !lines.isChosen) {
      io.stderr.write(`${NAME}: no reaction was given; this one is an example\n`);
      await work.take([REACTION], "reaction");
    }
  } finally {
    mapper.dispose();
  }
  lines.finish("reactions");
  files.finish(io);
  const { count, failures } = work;
  finishRun({ name: NAME, io, count, failures, noun: "reaction" });
}

/** A run over many reactions: one that cannot be mapped is said, and the others go on. */
class Work {
  count = 0;
  failures = 0;
  readonly #mapper: AtomMapper;
  readonly #flags: Flags;
  readonly #format: AnswerFormat;
  readonly #terminal: TerminalCapabilities;
  readonly #files: OutputFiles;
  readonly #io: Io;

  constructor(mapper: AtomMapper, flags: Flags, terminal: TerminalCapabilities, files: OutputFiles, io: Io) {
    this.#mapper = mapper;
    this.#flags = flags;
    this.#format = answerFormat(flags, terminal);
    this.#terminal = terminal;
    this.#files = files;
    this.#io = io;
  }

  async take(lines: readonly string[], noun: "line" | "reaction"): Promise<void> {
    const { stdout } = this.#io;
    for (const reaction of lines) {
      this.count++;
      const place = noun === "reaction" && lines.length === 1 ? "" : `${noun} ${this.count}: `;
      const map = await this.#map(reaction, place);
      if (typeof map === "string") {
        await write(stdout, unmapped(reaction, map, this.#format));
        await this.#files.add(undefined);
        continue;
      }
      const { products: rowTokens, reactants: columnTokens } = atomNames(map);
      const cells = { weights: map.weights, rowTokens, columnTokens };
      await write(stdout, showAtomMap(map, cells, this.#format, this.#terminal));
      await this.#files.add({ svg: () => drawAtomMap(map, cells), trace: () => atomMapTrace(map) });
    }
  }

  /** The map, or why there is none. */
  async #map(reaction: string, place: string): Promise<AtomMap | string> {
    const { stderr } = this.#io;
    try {
      const map = await this.#mapper.map(reaction, { canonical: !this.#flags.asWritten });
      if (map.unknown.length > 0) {
        const list = map.unknown.join(", ");
        stderr.write(`${NAME}: ${place}the model never saw ${list}, and reads it as an unknown token\n`);
      }
      return map;
    } catch (error) {
      if (!(error instanceof HeedError)) throw error;
      this.failures++;
      const message = error.message.replace(/^\w+: /, "");
      stderr.write(`${NAME}: ${place}${message.replace(/\s*\n\s*/g, " ")}\n`);
      return message;
    }
  }
}
