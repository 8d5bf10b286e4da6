import type { Parameters } from "../../models/parameters.ts";
import type { FullConfig } from "../../models/transformer/config.ts";
import { type Graph, NONE, type Value } from "../format/graph.ts";
import { concat, reshape, sizeOf } from "../format/operations.ts";
import { layerNorm, rmsNorm } from "../norm.ts";

/** The parameters of a Transformer below a name, as values of a graph. */
export class Scope {
  readonly graph: Graph;
  readonly config: FullConfig;
  readonly #parameters: Parameters;
  readonly #prefix: string;

  constructor(graph: Graph, of: { config: FullConfig; parameters: Parameters }, prefix = "") {
    this.graph = graph;
    this.config = of.config;
    this.#parameters = of.parameters;
    this.#prefix = prefix;
  }

  /** The parameters below a name. */
  at(name: string): Scope {
    return this.#with(this.graph, `${this.#prefix}${name}/`);
  }

  /** The same parameters in a branch of the graph. */
  within(graph: Graph): Scope {
    return this.#with(graph, this.#prefix);
  }

  has(name: string): boolean {
    return this.#parameters.has(this.#prefix + name);
  }

  values(name: string): Float32Array {
    return this.#parameters.variables[this.#prefix + name]!.dataSync() as Float32Array;
  }

  shape(name: string): number[] {
    return this.#parameters.variables[this.#prefix + name]!.shape;
  }

  /** The name in the file of something that belongs here. */
  named(name: string): string {
    return this.#prefix + name;
  }

  /** A parameter as it is. */
  get(name: string): Value {
    return this.graph.weight(this.named(name), this.shape(name), () => this.values(name));
  }

  /** x·Wᵀ + b, with the bias where there is one; `order` says which row of W each output reads. */
  map(name: string, x: Value, order?: (row: number) => number): Value {
    const [rows, columns] = this.shape(`${name}/weight`) as [number, number];
    const from = order ?? ((row: number) => row);
    const matrix = this.graph.weight(this.named(`${name}/weight`), [columns, rows], () =>
      transposed(this.values(`${name}/weight`), rows, columns, from),
    );
    const y = this.graph.op("MatMul", [x, matrix]);
    if (!this.has(`${name}/bias`)) return y;
    const bias = () => {
      const values = this.values(`${name}/bias`);
      return order ? values.map((_, row) => values[order(row)]!) : values;
    };
    return this.graph.op("Add", [y, this.graph.weight(this.named(`${name}/bias`), [rows], bias)]);
  }

  /** x [B, T, E]·Wᵀ + b of a matrix that is read as it is, since embeddings read it too: [B, T, V]. */
  tied(matrix: string, bias: string, x: Value): Value {
    const { graph } = this;
    const [V, E] = this.shape(matrix) as [number, number];
    const inputs = [reshape(graph, x, [-1, E]), this.get(matrix), this.has(bias) ? this.get(bias) : NONE];
    const y = graph.op("Gemm", inputs, { transB: 1 });
    const shape = concat(graph, [sizeOf(graph, x, 0), sizeOf(graph, x, 1), graph.ints([V])], 0);
    return graph.op("Reshape", [y, shape]);
  }

  /** The norm of that name; x itself where there is none. */
  norm(name: string, x: Value): Value {
    if (!this.has(`${name}/gamma`)) return x;
    const { norm, epsilon } = this.config;
    const gamma = this.get(`${name}/gamma`);
    if (norm === "rms") return rmsNorm(this.graph, x, gamma, epsilon);
    return layerNorm(this.graph, x, { gamma, beta: this.get(`${name}/beta`) }, epsilon);
  }

  #with(graph: Graph, prefix: string): Scope {
    return new Scope(graph, { config: this.config, parameters: this.#parameters }, prefix);
  }
}

/** W [rows, columns] as [columns, rows], its row `from(r)` as column r. */
function transposed(
  values: Float32Array,
  rows: number,
  columns: number,
  from: (row: number) => number,
): Float32Array {
  const out = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) {
    const start = from(r) * columns;
    for (let c = 0; c < columns; c++) out[c * rows + r] = values[start + c]!;
  }
  return out;
}
