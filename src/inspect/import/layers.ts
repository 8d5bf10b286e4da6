import { quoted, shown } from "../trace/fault.ts";
import { TraceTensor } from "../trace/tensor.ts";
import type { LayerInput, RowSums, Trace } from "../trace/trace.ts";
import { createTrace } from "../trace/write.ts";
import { refuse } from "./fault.ts";

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

/** A trace of what an importer found. Axes without tokens are named by position: "0", "1" and so on. */
export function traceOf(found: readonly FoundWeights[], name?: string): Trace {
  const axes = new Axes();
  const layers: LayerInput[] = [];
  for (const weights of found) {
    const { shape, values, mask } = weights;
    const place = weights.name === undefined ? "the weights" : quoted(weights.name);
    const [L, H, T, S] = sizes(place, shape);
    const alignK = axes.add(place, "keys", S, weights.keys ?? positions(S));
    const alignQ = axes.add(place, "queries", T, weights.queries ?? positions(T));
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
        rowSums: rowSumsOf(place, data, S),
        ...(visible?.includes(0) && { mask: new TraceTensor([H, T, S], "bool", visible) }),
      });
    }
  }
  return createTrace(
    { ...(name === undefined ? {} : { name }), tokens: axes.tokens, layers },
    { values: false },
  );
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
function rowSumsOf(place: string, weights: Float32Array, S: number): RowSums {
  let kind: RowSums = "one";
  for (let begin = 0; begin < weights.length; begin += S) {
    let [sum, least] = [0, 0];
    for (let s = begin; s < begin + S; s++) {
      const w = weights[s]!;
      if (w - w !== 0) {
        const where = `row ${begin / S}, column ${s - begin}`;
        refuse(place, "hold finite numbers", `${w} in ${where}`, "look for a row without visible keys");
      }
      sum += w;
      if (w < least) least = w;
    }
    if (least < 0 || sum > 1.001) return rest(place, weights.subarray(begin + S));
    if (sum !== 0 && sum < 0.999) kind = "atMostOne";
  }
  return kind;
}

function rest(place: string, weights: Float32Array): "free" {
  const wrong = weights.find((w) => w - w !== 0);
  if (wrong !== undefined)
    refuse(place, "hold finite numbers", `${wrong}`, "look for a row without visible keys");
  return "free";
}
