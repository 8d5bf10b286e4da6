/** Messages of the mechanisms over features and images. */
export const featureMessages = {
  FEATURE_PARAMETER: (d: { op: string; name: string; kind: string; needed: boolean; given: boolean }) =>
    `${d.op}: kind "${d.kind}" ${d.needed ? "needs" : "has no"} ${d.name}, got ${d.given ? "one" : "none"}; ` +
    `${d.needed ? "give it" : "leave it out"} or choose another kind`,
};
