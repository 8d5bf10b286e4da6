import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.ts";
import { escapeControls } from "../../src/core/escape-controls.ts";

describe("escapeControls", () => {
  it("makes escapes of control characters, changes of direction, lone surrogates and odd line ends", () => {
    expect(escapeControls("a\u001b[31m\u0000\u009b31m\u007f")).toBe("a\\u001b[31m\\u0000\\u009b31m\\u007f");
    expect(escapeControls("\u202egpj.exe\u2066\u200f\u061c")).toBe("\\u202egpj.exe\\u2066\\u200f\\u061c");
    expect(escapeControls("\ud800 \u2028\u2029")).toBe("\\ud800 \\u2028\\u2029");
  });

  it("leaves letters, line ends, tabs and emoji of several parts alone", () => {
    const plain = "é\ncœur\tчай 👩‍👩‍👧 🏴󠁧󠁢󠁳󠁣󠁴󠁿 −∞";
    expect(escapeControls(plain)).toBe(plain);
  });
});

describe("an error", () => {
  it("has no control character of a file in its message, and the file's text in its details", () => {
    const got = "\u202e\u009b2J";
    const error = new DataError("FORMAT", { op: "read", rule: "x must be y", got, remedy: "mend it" });
    expect(error.message).toBe("read: x must be y, got \\u202e\\u009b2J; mend it");
    expect(error.details.got).toBe(got);
  });
});
