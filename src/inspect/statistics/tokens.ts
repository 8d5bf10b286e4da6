/** For each position: the earlier ones with the same token, and those that follow them. */
export function earlierTokens(tokens: readonly (string | number)[]): { same: number[]; after: number[] }[] {
  const places = new Map<string | number, number[]>();
  return tokens.map((token, t) => {
    const same = places.get(token) ?? [];
    places.set(token, [...same, t]);
    // The position after the last one may be t itself, which is no copy of anything earlier.
    return { same, after: same.map((s) => s + 1).filter((s) => s < t) };
  });
}
