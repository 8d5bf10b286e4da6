import { expect, it } from "vitest";
import { attentionAdvice } from "../../../src/attention/sequence/advice.ts";

const codes = (plan: Parameters<typeof attentionAdvice>[0]) => attentionAdvice(plan).map(({ code }) => code);

it("has nothing to say about what is usual, nor about what is not decided", () => {
  expect(attentionAdvice({ D: 64, H: 8, C: 512, scale: 1 / 8 })).toEqual([]);
  expect(attentionAdvice({ D: 32, H: 4 })).toEqual([]);
  expect(attentionAdvice({ D: 128, H: 16 })).toEqual([]);
  expect(attentionAdvice({})).toEqual([]);
});

it("names what is outside the usual range, and what is usual, without refusing anything", () => {
  expect(codes({ D: 512 })).toEqual(["HEAD_WIDTH"]);
  expect(codes({ D: 16, H: 32, C: 100, scale: 1, positions: false })).toEqual([
    "HEAD_WIDTH",
    "HEADS",
    "HEADS_DIVIDE",
    "SCALE",
    "POSITIONS",
  ]);
  expect(attentionAdvice({ H: 8, C: 100 })[0]!.message).toBe(
    "width C=100 is no multiple of H=8 heads; take C=96 or 104, or give the head width D",
  );
  expect(attentionAdvice({ D: 64, scale: 1 })[0]!.message).toBe(
    "scale 1 gives scores of deviation 8.0 at the start, so that few keys get all the weight; take 1/√D = 0.125",
  );
});
