/** What `attentionAdvice` looks at; leave out what is not decided yet. */
export interface AttentionPlan {
  /** Width of a head. */
  D?: number;
  /** Query heads. */
  H?: number;
  /** Width of the model. */
  C?: number;
  /** What the dot products are multiplied by. @default 1/√D */
  scale?: number;
  /** Whether positions are encoded in some way. @default true */
  positions?: boolean;
}

export interface Advice {
  readonly code: "HEAD_WIDTH" | "HEADS" | "HEADS_DIVIDE" | "SCALE" | "POSITIONS";
  readonly message: string;
}

const WIDTHS = [32, 128] as const;
const HEADS = [4, 16] as const;
/** Unit-normal queries and keys have dot products with this standard deviation: √D · scale · √D. */
const MOST_DEVIATION = 2.5;

const outside = (n: number | undefined, [low, high]: readonly [number, number]) =>
  n !== undefined && (n < low || n > high);

/**
 * Advice on the shape of an attention layer: what is unusual about it, and what is usual. Nothing is refused.
 *
 *     deviation of the scores at the start = scale · √D
 *
 * Conventions: head widths D are usually 32 to 128 (512 is a model's width), heads H 4 to 16, and C a multiple of H; the
 * scores of unit-normal queries and keys should have a deviation near 1, which scale = 1/√D gives; without positions
 * attention does not know an order. docs/CHOOSING.md has the measurements. Cost: none.
 * Paper: Vaswani et al. 2017, §3.2.1 and table 3, arxiv.org/abs/1706.03762.
 *
 * @example
 * attentionAdvice({ D: 64, H: 8, C: 512 }); // []
 */
export function attentionAdvice({ D, H, C, scale, positions = true }: AttentionPlan): Advice[] {
  const advice: Advice[] = [];
  const say = (code: Advice["code"], message: string) => advice.push({ code, message });
  if (outside(D, WIDTHS))
    say("HEAD_WIDTH", `head width D=${D} is unusual; ${WIDTHS[0]} to ${WIDTHS[1]} is usual, 64 most often`);
  if (outside(H, HEADS)) say("HEADS", `H=${H} heads are unusual; ${HEADS[0]} to ${HEADS[1]} are usual`);
  if (H !== undefined && C !== undefined && C % H !== 0) {
    const nearby = [Math.floor(C / H) * H, Math.ceil(C / H) * H].filter((n) => n > 0);
    say(
      "HEADS_DIVIDE",
      `width C=${C} is no multiple of H=${H} heads; take C=${nearby.join(" or ")}, or give the head width D`,
    );
  }
  if (D !== undefined && scale !== undefined && Math.abs(scale) * Math.sqrt(D) > MOST_DEVIATION) {
    const deviation = (Math.abs(scale) * Math.sqrt(D)).toFixed(1);
    say(
      "SCALE",
      `scale ${scale} gives scores of deviation ${deviation} at the start, so that few keys get all the weight; ` +
        `take 1/√D = ${(1 / Math.sqrt(D)).toPrecision(3)}`,
    );
  }
  if (!positions) say("POSITIONS", "without positions the order of the sequence is lost; add an encoding");
  return advice;
}
