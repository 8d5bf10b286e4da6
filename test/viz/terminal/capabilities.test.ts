import { WriteStream } from "node:tty";
import { describe, expect, it } from "vitest";
import { type ColorFlag, terminalCapabilities } from "../../../src/viz/index.ts";

type Env = Record<string, string>;

/** A terminal that answers as Node's own streams do, from the environment that it is given. */
const terminal = {
  isTTY: true,
  columns: 101,
  getColorDepth: (env?: object) => WriteStream.prototype.getColorDepth(env ?? {}),
};
const pipe = {};
const XTERM = { TERM: "xterm-256color" };
const TRUE = { TERM: "xterm-256color", COLORTERM: "truecolor" };

describe("terminalCapabilities", () => {
  const depth = (env: Env, stream: object, color?: ColorFlag) =>
    terminalCapabilities({ env, stream, ...(color !== undefined && { color }) }).depth;

  it.each([
    // The terminal alone.
    [{ TERM: "xterm" }, 4],
    [XTERM, 8],
    [TRUE, 24],
    [{ TERM: "tmux-256color", TMUX: "/tmp/tmux", COLORTERM: "truecolor" }, 24],
    [{ TERM: "dumb" }, 1],
    [{ TERM: "dumb", COLORTERM: "truecolor" }, 1],
    // NO_COLOR, when not empty, wins over FORCE_COLOR and the terminal.
    [{ ...TRUE, NO_COLOR: "1" }, 1],
    [{ ...TRUE, NO_COLOR: "0" }, 1],
    [{ ...TRUE, NO_COLOR: "" }, 24],
    [{ ...TRUE, NO_COLOR: "1", FORCE_COLOR: "3" }, 1],
    [{ ...TRUE, NO_COLOR: "", FORCE_COLOR: "2" }, 8],
    [{ ...TRUE, NODE_DISABLE_COLORS: "1" }, 1],
    // FORCE_COLOR wins over the terminal, both ways.
    [{ ...TRUE, FORCE_COLOR: "0" }, 1],
    [{ ...TRUE, FORCE_COLOR: "false" }, 1],
    [{ ...TRUE, FORCE_COLOR: "1" }, 4],
    [{ TERM: "dumb", FORCE_COLOR: "3" }, 24],
    [{ ...XTERM, FORCE_COLOR: "" }, 8],
    [{ ...TRUE, FORCE_COLOR: "true" }, 24],
  ])("in a terminal with %j the depth is %d", (env, expected) => {
    expect(depth(env, terminal)).toBe(expected);
  });

  it.each([
    [TRUE, 1],
    [{ ...TRUE, FORCE_COLOR: "1" }, 4],
    [{ ...TRUE, FORCE_COLOR: "2" }, 8],
    [{ ...TRUE, FORCE_COLOR: "" }, 24],
    [{ FORCE_COLOR: "true" }, 4],
    [{ FORCE_COLOR: "3", NO_COLOR: "yes" }, 1],
  ])("in a pipe with %j the depth is %d", (env, expected) => {
    expect(depth(env, pipe)).toBe(expected);
  });

  it.each([
    ["never", { ...TRUE, FORCE_COLOR: "3" }, terminal, 1],
    ["always", { ...TRUE, NO_COLOR: "1" }, terminal, 24],
    ["always", { NO_COLOR: "1", FORCE_COLOR: "0" }, pipe, 4],
    ["always", { ...XTERM, NO_COLOR: "1" }, pipe, 8],
    ["always", TRUE, pipe, 24],
    [8, { NO_COLOR: "1" }, pipe, 8],
    [1, { FORCE_COLOR: "3" }, terminal, 1],
    ["auto", XTERM, terminal, 8],
  ] as const)("the flag %j wins over %j", (flag, env, stream, expected) => {
    expect(depth(env, stream, flag)).toBe(expected);
  });

  it("has no colour where the stream cannot say how much", () => {
    expect(depth(TRUE, { isTTY: true })).toBe(1);
  });

  it.each([
    [{ LANG: "en_US.UTF-8" }, true],
    [{ LANG: "C.utf8" }, true],
    [{ LANG: "C" }, false],
    [{ LANG: "en_US.UTF-8", LC_ALL: "C" }, false],
    [{ LANG: "C", LC_CTYPE: "fr_FR.UTF-8" }, true],
    [{ LANG: "", LC_ALL: "" }, true],
    [{}, true],
    [{ LANG: "en_US.UTF-8", TERM: "linux" }, false],
    [{ LANG: "en_US.UTF-8", TERM: "dumb" }, false],
    [{ OS: "Windows_NT" }, false],
    [{ OS: "Windows_NT", WT_SESSION: "x" }, true],
    [{ OS: "Windows_NT", TERM_PROGRAM: "vscode" }, true],
  ])("with %j unicode is %j", (env, expected) => {
    expect(terminalCapabilities({ env, stream: terminal }).unicode).toBe(expected);
  });

  it("takes the width from the stream, then from COLUMNS, then 80", () => {
    const columns = (env: Env, stream: object) => terminalCapabilities({ env, stream }).columns;
    expect(columns({ COLUMNS: "55" }, terminal)).toBe(101);
    expect(columns({ COLUMNS: "55" }, pipe)).toBe(55);
    expect(columns({ COLUMNS: "wide" }, pipe)).toBe(80);
    expect(columns({}, { columns: 0 })).toBe(80);
  });

  it("knows a terminal from a pipe", () => {
    expect(terminalCapabilities({ env: {}, stream: terminal }).isTTY).toBe(true);
    expect(terminalCapabilities({ env: {}, stream: pipe }).isTTY).toBe(false);
  });
});
