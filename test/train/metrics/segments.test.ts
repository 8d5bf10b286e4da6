import { describe, expect, it } from "vitest";
import { corpusBleu, sentenceBleu } from "../../../src/train/metrics/bleu.ts";
import { corpusChrf, sentenceChrf } from "../../../src/train/metrics/chrf.ts";
import { exactMatch } from "../../../src/train/metrics/exact-match.ts";

/** From plain JavaScript, where types forbid nothing. */
const loose = (metric: unknown) => metric as (...given: unknown[]) => unknown;
const REMEDY = "pass one list of references for each hypothesis";

describe("every metric refuses a string where a list belongs, as its characters would be references", () => {
  it.each([
    ["sentenceBleu", sentenceBleu],
    ["sentenceChrf", sentenceChrf],
  ])("%s", (op, metric) => {
    expect(() => loose(metric)("hi there", "hi there")).toThrow(
      expect.objectContaining({
        name: "DataError",
        code: "SHAPE",
        message: `${op}: the references of segment 0 must be a list, got a string; ${REMEDY}`,
      }),
    );
    expect(() => loose(metric)("hi", [7])).toThrow(
      `${op}: reference 0 of segment 0 must be text, got a number; ${REMEDY}`,
    );
  });

  it.each([
    ["corpusBleu", corpusBleu],
    ["corpusChrf", corpusChrf],
    ["exactMatch", exactMatch],
  ])("%s", (op, metric) => {
    expect(() => loose(metric)("hi", [["hi"]])).toThrow(
      `${op}: hypotheses must be a list of texts, got a string; ${REMEDY}`,
    );
    expect(() => loose(metric)(["hi"], "hi")).toThrow(
      `${op}: references must be a list of lists of texts, got a string; ${REMEDY}`,
    );
    expect(() => loose(metric)(["hi"], ["hi"])).toThrow(
      `${op}: the references of segment 0 must be a list, got a string; ${REMEDY}`,
    );
    expect(() => loose(metric)([["hi"]], [["hi"]])).toThrow(
      `${op}: hypothesis 0 must be text, got a list; ${REMEDY}`,
    );
    expect(() => loose(metric)(["hi", "ho"], [["hi"], ["ho", undefined]])).toThrow(
      `${op}: reference 1 of segment 1 must be text, got nothing; ${REMEDY}`,
    );
  });

  it("and scores a list of one as it did", () => {
    expect(sentenceBleu("hi there", ["hi there"]).score).toBeCloseTo(100, 12);
    expect(sentenceChrf("hi there", ["hi there"]).score).toBeCloseTo(100, 12);
  });
});
