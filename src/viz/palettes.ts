/** A colour table of 256 entries, darkest first. */
export interface Table {
  /** The first entry, 0xrrggbb. */
  readonly first: number;
  /** How red, green and blue go on, a letter for each entry after it: m = as before, n = 1 more, l = 1 less, … */
  readonly steps: readonly [red: string, green: string, blue: string];
}

// Written as steps, the two tables are a fifth of what they take as hexadecimal triples in a compressed bundle.
// They are those of matplotlib's `_cm_listed.py` (CC0), each channel rounded to a byte as `matplotlib.colors.to_hex`
// rounds it; test/viz/color.test.ts has their digests.

export const VIRIDIS: Table = {
  first: 0x440154,
  steps: [
    "mnmnmmmnmmmmnmmmmmmmmmmmmmmmmlmmmmlmmmlmmlmmlmlmmlmlmlmlmmlmlmlmlmlmlmlmlmlmlmlmlmlmmlmlmlmmlmlm" +
      "mlmlmmlmmlmlmmlmmlmmlmlmmlmmlmmmlmmlmmmmmmlmmnmmmmmnmnmnmnnnmnnnnnonnnononononoonooooooooooooooo" +
      "opooopoopoopopopopopopoppopoppoppoppoppoppoppoppopoppopopopoopo",
    "nonononononononnonnnonnonnnonnonnnnonnnonnnnonnnnnonnnnnnonnnnnnnnnnonnnnnnnnnnnnnnnnnnnnnnnnnmn" +
      "nnnnnnnnnnnnnnnnmnnnnnnnnnnnnnnnnmnnnnnnnnnnnnnnnmnnnnnnnnnnnnmnnnnnnnnnmnnnnnnmnnnnnmnnnnmnnnmn" +
      "nnmnnmnnnmnmnnmnnmnmnmnmnmnmnmnmnmnmmnmmnmnmmnmmnmmnmmnmmmnmmnm",
    "onononnononnonnnonnnnnonnnnnnnmnnnnmnnnmnnmnmnmnmnmnmmnmmnmmmnmmmnmmmmmnmmmmmmmmnmmmmmmmmmmmmmmm" +
      "mmmmmmmmmmmmmmmmmmmmmmmmlmmmmmmlmmmmlmmmlmmlmmlmmlmlmlmmllmlmlmllmlllmlllmllllllllllllllllllklll" +
      "kllkllkllklklklkklklkklkklkklkkklkkklklkkllkllllmlmmnmnnnnnonoo",
  ],
};

export const CIVIDIS: Table = {
  first: 0x00224e,
  steps: [
    "mmmmmmmmmmmmmmmmmmmmmmnqpqppooooooononononnonnonnnnnonnnnnnnnnnnnnnnnnnnnnnnnnnnnnmnnnnnnnnnmnnn" +
      "nnnnmnnnnnnnmnnnnnnmnnnnnmnnnnnnnmnnnnnnnnnnnnnnnnnnnnmnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnonnnnnnnnn" +
      "nnnnnnnnnnnnnonnnnnnnnnnnnonnnnnnnnnonnnnnnnonnnnnnonnnnonnnmmm",
    "nnnmnnnmnnmnnmnnmnnmnmnnmnnmnnmnnnmnnmnnnmnnmnnmnnmnnnmnnmnnmnnmnnnmnnmnnmnnmnnnmnnmnnmnnnmnnmnn" +
      "mnnnmnnmnnnmnnmnnnmnnmnnnmnnnmnnmnnnmnnnmnnnmnnnmnnnmnnnmnnnnmnnnmnnnnmnnnmnnnnmnnnnnmnnnnmnnnnn" +
      "mnnnnnmnnnnnnmnnnnnnnmnnnnnnnnmnnnnnnnnnnnmnnnnnnnnnnnnnnnnnnno",
    "noonoonoooonooooononmnmmlmmmmmlmmmmlmmmmmlmmmmmmmlmmmmmmmmmmmmmmmmmmmmmmmmmmmnmmmmmmmmnmmmmmnmmm" +
      "mnmmmmnmmmnmmmnmmnmmnmmnmnmmnmmmmmmmmnmmmmlmmmmmmmmmmmmmlmmmmmlmmmmlmmmlmmmlmmmlmmlmmlmlmmlmlmml" +
      "mlmlmlmlmlmllmllmlmlllmlllmllllmllllllllllkllllkllklklkkkkkmnno",
  ],
};

/** ColorBrewer's PuOr in eleven classes (Apache 2.0, Cynthia Brewer), orange for less and purple for more. */
export const PUOR = [
  "7f3b08b35806e08214fdb863fee0b6f7f7f7", // below the middle, and it
  "d8daebb2abd28073ac5427882d004b",
].join("");
