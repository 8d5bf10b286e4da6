import type * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { causalMask, paddingMask, windowMask } from "../../../src/attention/mask/index.ts";
import { OptionError } from "../../../src/core/errors.ts";
import { onEveryBackend } from "../support.ts";

/** Rows of a mask as drawn in its documentation. */
function drawn(mask: tf.Tensor): string[] {
  const S = mask.shape[mask.rank - 1]!;
  const data = [...mask.dataSync()];
  return Array.from({ length: data.length / S }, (_, i) => data.slice(i * S, (i + 1) * S).join(" "));
}

onEveryBackend("masks", () => {
  it("causal: the drawings of its documentation", () => {
    expect(drawn(causalMask(4, 4))).toEqual(["1 0 0 0", "1 1 0 0", "1 1 1 0", "1 1 1 1"]);
    expect(drawn(causalMask(2, 4, { align: "topLeft" }))).toEqual(["1 0 0 0", "1 1 0 0"]);
    expect(drawn(causalMask(2, 4, { align: "bottomRight" }))).toEqual(["1 1 1 0", "1 1 1 1"]);
    expect(causalMask(2, 4, { queryOffset: 1 }).dtype).toBe("bool");
  });

  it("causal: T ≠ S without a corner is refused", () => {
    expect(() => causalMask(2, 4)).toThrow(OptionError);
    expect(() => causalMask(2, 4)).toThrow("causalMask: causal: true must have T = S, got T=2 and S=4;");
  });

  it("window: the drawings of its documentation", () => {
    expect(drawn(windowMask(4, 4, { left: 1, right: 0 }))).toEqual([
      "1 0 0 0",
      "1 1 0 0",
      "0 1 1 0",
      "0 0 1 1",
    ]);
    expect(drawn(windowMask(4, 4, { left: 1, right: 1 }))).toEqual([
      "1 1 0 0",
      "1 1 1 0",
      "0 1 1 1",
      "0 0 1 1",
    ]);
  });

  it("window: no bound hides nothing, and T ≠ S needs queryOffset", () => {
    expect(drawn(windowMask(2, 3, {}))).toEqual(["1 1 1", "1 1 1"]);
    expect(() => windowMask(2, 3, { left: 0 })).toThrow(
      "windowMask: a window must know where query 0 stands",
    );
    expect(drawn(windowMask(2, 3, { left: 0, queryOffset: 1 }))).toEqual(["0 1 1", "0 0 1"]);
  });

  it("padding: the drawing of its documentation, one row per example", () => {
    const mask = paddingMask([1, 4, 0, 3], 4);
    expect(mask.shape).toEqual([4, 1, 4]);
    expect(drawn(mask)).toEqual(["1 0 0 0", "1 1 1 1", "0 0 0 0", "1 1 1 0"]);
    expect(() => paddingMask([5], 4)).toThrow(
      "paddingMask: keyLengths must be B=1 integers from 0 to 4, got [5]; give one length per example",
    );
  });
});
