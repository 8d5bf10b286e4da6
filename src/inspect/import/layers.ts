import { quoted, shown } from "../trace/fault.ts";
import { TraceTensor } from "../trace/tensor.ts";
import type { LayerInput, RowSums, Trace } from "../trace/trace.ts";
import { createTrace } from "../trace/write.ts";
import { refuse } from "./fault.ts";
import type { ImportOptions } from "./options.ts";
import { softmaxRows } from "./softmax.ts";

/** Weights of one or more layers, as an importer found them, and the tokens of their axes where it knows them. */
export interface FoundWeights {
  readonly name?: string | undefined;
  /** [T, S], [H, T, S], [layers, H, T, S] or, with a batch of one, [layers, 1, H, T, S]. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** As many: 0 where a query may not attend, else 1. */
  readonly mask?: Uint8Array | undefined;
  readonly queries?: TokenList | undefined;
  readonly keys?: TokenList | undefined;
}

export interface TokenList {
  readonly name: string;
  readonly tokens: readonly string[];
}

/** As in the pictures. */
const TOLERANCE = 0.001;

/** What a trace gets besides its weights. */
export interface FoundOptions extends ImportOptions {
  readonly name?: string | undefined;
}

/**
 * A trace of what an importer found. Axes without tokens are named by position: "0", "1" and so on. Rows that do not sum
 * to 1 are drawn as they are, and `warnings` says so.
 */
export function traceOf(found: readonly FoundWeights[], { name, softmax }: FoundOptions = {}): Trace {
  const axes = new Axes();
  const layers: LayerInput[] = [];
  const warnings: string[] = [];
  for (const weights of found) {
    const { shape, values } = weights;
    const mask = softmax ? withoutInfinite(weights) : weights.mask;
    const place = weights.name === undefined ? "the weights" : quoted(weights.name);
    const [L, H, T, S] = sizes(place, shape);
    const alignK = axes.add(place, "keys", S, weights.keys ?? positions(S));
    const alignQ = axes.add(place, "queries", T, weights.queries ?? positions(T));
    if (softmax) softmaxRows(values, S, mask);
    const sums = new RowSumsOf(place, S);
    for (let l = 0; l < L; l++) {
      const [begin, end] = [l * H * T * S, (l + 1) * H * T * S];
      const data = values.subarray(begin, end);
      const visible = mask?.subarray(begin, end);
      const title = weights.name === undefined ? {} : { name: L > 1 ? `${weights.name} ${l}` : weights.name };
      const attn = new TraceTensor([H, T, S], "f32", data);
      layers.push({
        ...title,
        alignQ,
        alignK,
        attn,
        rowSums: sums.kindOf(data),
        ...(visible?.includes(0) && { mask: new TraceTensor([H, T, S], "bool", visible) }),
      });
    }
    if (sums.warning !== undefined) warnings.push(sums.warning);
  }
  const { tokens } = axes;
  return createTrace(
    { ...(name !== undefined && { name }), ...(warnings.length > 0 && { warnings }), tokens, layers },
    { values: false },
  );
}

/** A mask that hides keys with a score of −∞ as well. */
function withoutInfinite({ values, mask }: FoundWeights): Uint8Array | undefined {
  if (!values.includes(-Infinity)) return mask;
  return Uint8Array.from(values, (score, e) => Number(score !== -Infinity && (mask?.[e] ?? 1) !== 0));
}

function sizes(place: string, shape: readonly number[]): [L: number, H: number, T: number, S: number] {
  const remedy = "save attention weights alone, one example at a time";
  if (shape.length < 2 || shape.length > 5 || shape.some((n) => n < 1))
    refuse(place, "be [T, S], [H, T, S] or [layers, H, T, S], no size 0", shown(shape), remedy);
  const batch = shape.length === 5 ? shape[1]! : 1;
  if (batch !== 1) refuse(place, "be [layers, B, H, T, S] with B = 1", shown(shape), remedy);
  const [S, T, H = 1] = [...shape].reverse() as [number, number, number?];
  return [shape.length > 3 ? shape[0]! : 1, H, T, S];
}

function positions(length: number): TokenList {
  return { name: `positions ${length}`, tokens: Array.from({ length }, (_, i) => `${i}`) };
}

/** The named lists of tokens of a trace: equal ones share a name, others of that name get a number. */
class Axes {
  readonly tokens: Record<string, readonly string[]> = Object.create(null);
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  /** The name under which this list stands. */
  add(place: string, side: string, length: number, { name, tokens }: TokenList): string {
    if (tokens.length !== length) {
      const rule = `have one token for each of its ${length} ${side}`;
      refuse(place, rule, `${tokens.length}`, "save the tokens of the same example");
    }
    const content = JSON.stringify([name, tokens]);
    const known = this.#names.get(content);
    if (known !== undefined) return known;
    let free: string;
    do {
      const count = this.#counts.get(name) ?? 0;
      this.#counts.set(name, count + 1);
      free = count === 0 ? name : `${name} ${count}`;
    } while (free in this.tokens);
    this.#names.set(content, free);
    this.tokens[free] = tokens;
    return free;
  }
}

/** Pictures take what rows there are, so what they add up to is found, not asked. */
class RowSumsOf {
  readonly #place: string;
  readonly #S: number;
  #leastSum = Infinity;
  #mostSum = -Infinity;
  #least = 0;

  constructor(place: string, S: number) {
    this.#place = place;
    this.#S = S;
  }

  /** What the rows of one layer add up to. */
  kindOf(weights: Float32Array): RowSums {
    let kind: RowSums = "one";
    for (let begin = 0; begin < weights.length; begin += this.#S) {
      let [sum, least] = [0, 0];
      for (let s = begin; s < begin + this.#S; s++) {
        const w = weights[s]!;
        if (w - w !== 0) this.#refuse(w, begin / this.#S, s - begin);
        sum += w;
        if (w < least) least = w;
      }
      this.#least = Math.min(this.#least, least);
      // A query that sees nothing weighs nothing.
      if (sum === 0 && least === 0) continue;
      this.#leastSum = Math.min(this.#leastSum, sum);
      this.#mostSum = Math.max(this.#mostSum, sum);
      if (least < 0 || sum > 1 + TOLERANCE) kind = "free";
      else if (sum < 1 - TOLERANCE && kind === "one") kind = "atMostOne";
    }
    return kind;
  }

  /** What whoever draws these weights should know; undefined where all rows are shares. */
  get warning(): string | undefined {
    const isOfShares = this.#leastSum >= 1 - TOLERANCE && this.#mostSum <= 1 + TOLERANCE && this.#least === 0;
    if (isOfShares || this.#leastSum === Infinity) return undefined;
    const [from, to, least] = [this.#leastSum, this.#mostSum, this.#least].map((x) =>
      Number(x.toPrecision(4)),
    );
    const negative = least === 0 ? "" : ` and a weight of ${least}`;
    return (
      `importTrace: the rows of ${this.#place} must sum to 1 within ${TOLERANCE}, got sums from ${from} to ${to}` +
      `${negative}; read them with softmax (--softmax) if they are scores before it, else take no colour for a share`
    );
  }

  #refuse(got: number, row: number, column: number): never {
    const remedy = "look for a row without visible keys";
    return refuse(this.#place, "hold finite numbers", `${got} in row ${row}, column ${column}`, remedy);
  }
}
