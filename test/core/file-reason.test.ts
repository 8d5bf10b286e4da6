import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { fileReason } from "../../src/core/file-reason.ts";

const failure = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

it("says in words what the system says in letters", () => {
  expect(fileReason(failure(() => readFileSync("/no/such/file")))).toBe("no such file");
  expect(fileReason(failure(() => readFileSync("/")))).toBe("a folder");
  expect(fileReason(Object.assign(new Error(), { code: "ENOSPC" }))).toBe("a full disk");
});

it("gives a code that it does not know, or the message where there is none", () => {
  expect(fileReason(Object.assign(new Error("why"), { code: "EODD" }))).toBe("EODD");
  expect(fileReason(Object.assign(new Error("why"), { code: "constructor" }))).toBe("constructor");
  expect(fileReason(new Error("why"))).toBe("why");
});
