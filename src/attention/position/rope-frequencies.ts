import { checkPositive } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { notAChoice, outOfRange } from "../../core/faults.ts";

/** How rotations are slowed down for contexts longer than training's; `factor` is how many times longer. */
export type RopeScaling =
  | { type: "linear"; factor: number }
  | { type: "ntk"; factor: number }
  | {
      type: "yarn";
      factor: number;
      /** Positions that the model was trained on. */
      original: number;
      /** Turns in `original` positions from which on a frequency is left alone. @default 32 */
      fast?: number;
      /** Turns below which a frequency is divided by the factor. @default 1 */
      slow?: number;
      /** Factor of the rotated vectors. @default 0.1·ln(factor) + 1 */
      magnitude?: number;
    }
  | {
      type: "llama3";
      factor: number;
      /** Positions that the model was trained on. @default 8192 */
      original?: number;
      /** Turns in `original` positions from which on a frequency is left alone. @default 4 */
      fast?: number;
      /** Turns below which a frequency is divided by the factor. @default 1 */
      slow?: number;
    };

export interface RopeFrequencies {
  /** Radians a position, one for each pair of channels. */
  readonly frequencies: Float64Array;
  /** Factor of the rotated vectors, 1 but for YaRN. */
  readonly magnitude: number;
}

/**
 * The frequencies of rotary embedding, stretched for longer contexts.
 *
 *     θ_i = base^(−2i/R)
 *     linear   θ_i / s
 *     ntk      θ_i with base · s^(R/(R−2)): the slowest frequency is divided by s, the fastest kept
 *     yarn     θ_i (1 − γ_i) / s + θ_i γ_i,   γ falls from 1 at `fast` turns to 0 at `slow`, along i
 *     llama3   the same, γ falling along the number of turns
 *
 * Symbols: R rotated channels, i a pair of them, s the factor; turns = original·θ_i / 2π.
 * Shapes: → R/2 numbers.
 * Conventions: as in the reference implementations; YaRN also multiplies queries and keys by 0.1·ln s + 1, which is
 * `magnitude`.
 * Cost: O(R).
 * Papers: Su et al. 2021, arxiv.org/abs/2104.09864; linear: Chen et al. 2023, arxiv.org/abs/2306.15595; ntk and YaRN:
 * Peng et al. 2023, §3, arxiv.org/abs/2309.00071; llama3: Grattafiori et al. 2024, arxiv.org/abs/2407.21783, and
 * their code.
 *
 * @throws OptionError OPTION
 * @example
 * ropeFrequencies(4).frequencies; // [1, 0.01]
 * ropeFrequencies(4, { scaling: { type: "linear", factor: 2 } }).frequencies; // [0.5, 0.005]
 */
export function ropeFrequencies(
  R: number,
  { base = 10_000, scaling }: { base?: number; scaling?: RopeScaling } = {},
): RopeFrequencies {
  const op = "ropeFrequencies";
  if (!(Number.isSafeInteger(R) && R >= 2 && R % 2 === 0)) {
    throw new OptionError("OPTION", outOfRange({ op, name: "R", rule: "an even integer ≥ 2", got: R }));
  }
  checkPositive(op, "base", base);
  const plain = frequenciesOf(R, base);
  if (!scaling) return { frequencies: plain, magnitude: 1 };
  const { factor } = scaling;
  if (!(factor >= 1 && Number.isFinite(factor))) {
    throw new OptionError(
      "OPTION",
      outOfRange({ op, name: "scaling.factor", rule: "a number ≥ 1", got: factor }),
    );
  }
  const mixed = (keep: (theta: number, i: number) => number) =>
    plain.map((theta, i) => {
      const gamma = keep(theta, i);
      return (theta / factor) * (1 - gamma) + theta * gamma;
    });
  switch (scaling.type) {
    case "linear":
      return { frequencies: plain.map((theta) => theta / factor), magnitude: 1 };
    case "ntk": {
      if (R === 2)
        throw new OptionError("OPTION", outOfRange({ op, name: "R", rule: "4 or more with ntk", got: R }));
      return { frequencies: frequenciesOf(R, base * factor ** (R / (R - 2))), magnitude: 1 };
    }
    case "yarn": {
      const { original, fast = 32, slow = 1, magnitude = 0.1 * Math.log(factor) + 1 } = scaling;
      checkTurns(op, original, slow, fast);
      checkPositive(op, "scaling.magnitude", magnitude);
      const pairAt = (turns: number) =>
        (R * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(base));
      const first = Math.max(0, Math.floor(pairAt(fast)));
      const last = Math.min(R - 1, Math.ceil(pairAt(slow)));
      // Where both ends meet the ramp is a step; the reference implementation keeps it from dividing by 0 so.
      const width = last === first ? 0.001 : last - first;
      return { frequencies: mixed((_, i) => 1 - clamp((i - first) / width)), magnitude };
    }
    case "llama3": {
      const { original = 8192, fast = 4, slow = 1 } = scaling;
      checkTurns(op, original, slow, fast);
      const turns = (theta: number) => (original * theta) / (2 * Math.PI);
      return { frequencies: mixed((theta) => clamp((turns(theta) - slow) / (fast - slow))), magnitude: 1 };
    }
    default: {
      const choices = ['"linear"', '"ntk"', '"yarn"', '"llama3"'];
      const { type } = scaling satisfies never as { type: unknown };
      throw new OptionError("OPTION", notAChoice({ op, name: "scaling.type", choices, got: type }));
    }
  }
}

function frequenciesOf(R: number, base: number): Float64Array {
  return Float64Array.from({ length: R / 2 }, (_, i) => base ** ((-2 * i) / R));
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}

function checkTurns(op: string, original: number, slow: number, fast: number): void {
  checkPositive(op, "scaling.original", original);
  checkPositive(op, "scaling.slow", slow);
  if (fast > slow && Number.isFinite(fast)) return;
  const rule = `above scaling.slow = ${slow}`;
  throw new OptionError("OPTION", outOfRange({ op, name: "scaling.fast", rule, got: fast }));
}
