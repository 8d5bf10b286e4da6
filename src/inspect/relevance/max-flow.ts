/**
 * Dinic's algorithm: the most that can flow from one node to another through edges of given capacities.
 *
 * Levels by breadth-first search, then a blocking flow along edges that go up one level, until the target has no
 * level. Each augmentation empties an edge exactly, so real capacities end too: O(V²·E).
 */
export class FlowNetwork {
  /** Edges in pairs: 2n runs forward, 2n + 1 back. */
  readonly #to: number[] = [];
  readonly #capacity: number[] = [];
  readonly #out: number[][];
  #left = new Float64Array();
  #level = new Int32Array();

  constructor(nodes: number) {
    this.#out = Array.from({ length: nodes }, () => []);
  }

  addEdge(from: number, to: number, capacity: number): void {
    this.#out[from]!.push(this.#to.length);
    this.#out[to]!.push(this.#to.length + 1);
    this.#to.push(to, from);
    this.#capacity.push(capacity, 0);
  }

  /** The largest flow; the network stays as it was, for the next pair. */
  maxFlow(source: number, target: number): number {
    this.#left = Float64Array.from(this.#capacity);
    let total = 0;
    while (this.#findLevels(source, target)) {
      const next = new Int32Array(this.#out.length);
      for (;;) {
        const flow = this.#augment(source, target, Infinity, next);
        if (flow === 0) break;
        total += flow;
      }
    }
    return total;
  }

  #findLevels(source: number, target: number): boolean {
    this.#level = new Int32Array(this.#out.length).fill(-1);
    this.#level[source] = 0;
    const queue = [source];
    for (let at = 0; at < queue.length; at++)
      for (const edge of this.#out[queue[at]!]!) {
        const to = this.#to[edge]!;
        if (this.#left[edge] === 0 || this.#level[to] !== -1) continue;
        this.#level[to] = this.#level[queue[at]!]! + 1;
        queue.push(to);
      }
    return this.#level[target] !== -1;
  }

  /** Sends flow along one path of growing levels; as deep as the network has layers. */
  #augment(node: number, target: number, most: number, next: Int32Array): number {
    if (node === target) return most;
    const edges = this.#out[node]!;
    for (; next[node]! < edges.length; next[node]!++) {
      const edge = edges[next[node]!]!;
      const to = this.#to[edge]!;
      if (this.#left[edge] === 0 || this.#level[to] !== this.#level[node]! + 1) continue;
      const flow = this.#augment(to, target, Math.min(most, this.#left[edge]!), next);
      if (flow === 0) continue;
      this.#left[edge]! -= flow;
      this.#left[edge ^ 1]! += flow;
      return flow;
    }
    return 0;
  }
}
