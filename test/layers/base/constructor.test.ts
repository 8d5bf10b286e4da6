import { expect, it } from "vitest";
import { AttentionPooling, GroupQueryAttention, MultiHeadAttention } from "../../../src/layers/index.ts";
import "../../attention/support.ts";

it("checks arguments by their types", () => {
  // @ts-expect-error numHeads is a number
  expect(() => new MultiHeadAttention({ numHeads: "x", keyDim: 3 })).toThrow('got "x"');
  // @ts-expect-error keyDim is required
  expect(() => new MultiHeadAttention({ numHeads: 2 })).toThrow("keyDim must be an integer ≥ 1, got nothing");
  // @ts-expect-error nhead is PyTorch's
  expect(() => new MultiHeadAttention({ nhead: 2, keyDim: 3 })).toThrow(
    "got nhead; its name here is numHeads",
  );
});

it("needs no arguments where no field is required", () => {
  expect(new AttentionPooling().config.dropout).toBe(0);
});

it("refuses fields that exclude one another as it is made", () => {
  const attempt = () => new GroupQueryAttention({ headDim: 3, numQueryHeads: 3, numKeyValueHeads: 2 });
  expect(attempt).toThrow("query heads H=3 must be a multiple of key/value heads Hkv=2");
});
