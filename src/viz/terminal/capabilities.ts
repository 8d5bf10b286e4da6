/** How many bits of colour a terminal shows: 1 is none. */
export type ColorDepth = 1 | 4 | 8 | 24;

/** The value of a `--color` flag. */
export type ColorFlag = "auto" | "always" | "never" | ColorDepth;

/** The facts about an output stream; `process.stdout` has this shape. */
export interface StreamFacts {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  getColorDepth?(env?: object): number;
}

export interface Environment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stream: StreamFacts;
  /** @default "auto" */
  readonly color?: ColorFlag;
}

export interface TerminalCapabilities {
  readonly depth: ColorDepth;
  readonly unicode: boolean;
  readonly columns: number;
  readonly isTTY: boolean;
}

const DEFAULT_COLUMNS = 80;

/**
 * What can be drawn where. Colour: the flag decides, else NO_COLOR (when not empty), else FORCE_COLOR, else what
 * the terminal can do; anything but a terminal gets none. Pure: reads only its arguments.
 *
 * @example
 * terminalCapabilities({ env: process.env, stream: process.stdout, color: "auto" });
 */
export function terminalCapabilities(environment: Environment): TerminalCapabilities {
  const { env, stream } = environment;
  return {
    depth: colorDepth(environment),
    unicode: showsUnicode(env),
    columns: positive(stream.columns) ?? positive(Number(env.COLUMNS)) ?? DEFAULT_COLUMNS,
    isTTY: stream.isTTY === true,
  };
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && Number.isInteger(value) && value > 0 ? value : undefined;
}

function colorDepth({ env, stream, color = "auto" }: Environment): ColorDepth {
  if (typeof color === "number") return color;
  if (color === "never") return 1;
  if (color === "always") return atLeast16(env, stream);
  if (env.NO_COLOR) return 1;
  if (env.FORCE_COLOR !== undefined) return forcedDepth(env, stream, env.FORCE_COLOR);
  return terminalDepth(env, stream);
}

/** FORCE_COLOR as Node and most tools read it: 0 or false = none, 2 = 256 colours, 3 = all, else at least 16. */
function forcedDepth(env: Environment["env"], stream: StreamFacts, value: string): ColorDepth {
  if (value === "0" || value === "false") return 1;
  if (value === "1") return 4;
  if (value === "2") return 8;
  if (value === "3") return 24;
  return atLeast16(env, stream);
}

/** The terminal's own depth; where there is none to ask (a pipe), what the environment promises; at least 16 colours. */
function atLeast16(env: Environment["env"], stream: StreamFacts): ColorDepth {
  const depth = terminalDepth(env, stream);
  if (depth > 1) return depth;
  if (promisesTrueColor(env)) return 24;
  return /256/.test(env.TERM ?? "") ? 8 : 4;
}

function promisesTrueColor(env: Environment["env"]): boolean {
  return /^(truecolor|24bit)$/i.test(env.COLORTERM ?? "");
}

/**
 * Node's getColorDepth lets FORCE_COLOR win over NO_COLOR and takes an empty NO_COLOR for a set one, so both are
 * kept from it: they have been read already.
 */
function terminalDepth(env: Environment["env"], stream: StreamFacts): ColorDepth {
  if (stream.isTTY !== true || env.TERM === "dumb") return 1;
  const { NO_COLOR, FORCE_COLOR, NODE_DISABLE_COLORS, ...rest } = env;
  if (NODE_DISABLE_COLORS) return 1;
  const bits = stream.getColorDepth?.(rest) ?? 1;
  // Node 20 gives tmux 256 colours whatever it can do; tmux itself reduces 24 bits where it must.
  if (bits >= 8 && promisesTrueColor(env)) return 24;
  return bits >= 24 ? 24 : bits >= 8 ? 8 : bits >= 4 ? 4 : 1;
}

/**
 * Whether block and box characters will show. A locale that is set must say UTF-8. With none set, as in most
 * containers, terminals of today are UTF-8, except the console of Linux and the old one of Windows.
 */
function showsUnicode(env: Environment["env"]): boolean {
  if (env.TERM === "dumb" || env.TERM === "linux") return false;
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  if (locale) return /utf-?8/i.test(locale);
  if (env.OS === "Windows_NT")
    return Boolean(env.WT_SESSION || env.TERM_PROGRAM || env.ConEmuTask || env.TERM);
  return true;
}
