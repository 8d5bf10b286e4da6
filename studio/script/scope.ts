/** Names and what they stand for, in one block of a script. */
export class Scope {
  readonly #names = new Map<string, { value: unknown; readonly isConstant: boolean }>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  /** The names of this block alone. */
  get own(): readonly string[] {
    return [...this.#names.keys()];
  }

  /** @throws ReferenceError for a name that is none */
  read(name: string): unknown {
    const found = this.#find(name);
    if (!found) throw new ReferenceError(`${name} is not known here`);
    return found.value;
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  /** @throws SyntaxError for a name that the block has already */
  declare(name: string, value: unknown, isConstant: boolean): void {
    if (this.#names.has(name)) throw new SyntaxError(`${name} is declared twice`);
    this.#names.set(name, { value, isConstant });
  }

  /** @throws TypeError for a constant · ReferenceError for a name that is none */
  assign(name: string, value: unknown): unknown {
    const found = this.#find(name);
    if (!found) throw new ReferenceError(`${name} is not known here`);
    if (found.isConstant) throw new TypeError(`${name} is a constant`);
    found.value = value;
    return value;
  }

  #find(name: string): { value: unknown; readonly isConstant: boolean } | undefined {
    const own = this.#names.get(name);
    if (own || !this.#outer) return own;
    return this.#outer.#find(name);
  }
}
