/** Lists of tokens by name. */
export type TokenLists = Readonly<Record<string, readonly string[]>>;

/** The axes of a trace: the given lists, and one of numbers for each length that none of them has. */
export function nameAxes(given: TokenLists) {
  const lists = new Map(Object.entries(given));
  return {
    /** The first list of so many tokens. */
    nameFor(length: number): string {
      for (const [name, list] of lists) if (list.length === length) return name;
      const name = unused(`${length} positions`, lists);
      lists.set(
        name,
        Array.from({ length }, (_, at) => String(at)),
      );
      return name;
    },
    tokens: (): TokenLists => Object.fromEntries(lists),
  };
}

function unused(name: string, lists: ReadonlyMap<string, unknown>): string {
  return lists.has(name) ? unused(`${name} `, lists) : name;
}
