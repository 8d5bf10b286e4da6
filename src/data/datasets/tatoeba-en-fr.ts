import type { PairDataset } from "../dataset.ts";
import { membership } from "../splits/tatoeba-en-fr.ts";

/** 165,348 everyday English sentences with their French translations. */
export const tatoebaEnFr: PairDataset = {
  name: "tatoeba-en-fr",
  title: "English-French sentence pairs of the Tatoeba project",
  licence: "CC BY 2.0 FR",
  url:
    "https://raw.githubusercontent.com/modelexlab/data/" +
    "adddaf33ac35572bcfeb421efec29435e7ea9332/fra-eng.zip",
  bytes: 3424571,
  sha256: "161c93f18da3a7e6df611ed961426613260de8af06ccf8c79c977afe5135ac44",
  member: "fra-eng/fra.txt",
  membership,
  splits: {
    train: { rows: 158821, sha256: "1983567f37a00ee69c3d72aa7776546d7fabaf7e9a2c1e86cb8310e84e6e6455" },
    valid: { rows: 3231, sha256: "84ce99ef06b6b0a427959ab54bce2403333172c4be4fd34222cc49cffebe2fd5" },
    test: { rows: 3296, sha256: "ef8be59745cab58b3f32583797758204f89aa20a3474d127784b0034f58ffa2f" },
  },
  attribution: `# tatoeba-en-fr: English-French sentence pairs

Sentences by the contributors of Tatoeba (https://tatoeba.org), selected and paired by www.manythings.org/anki.
Licence: Creative Commons Attribution 2.0 France (CC BY 2.0 FR), https://creativecommons.org/licenses/by/2.0/fr/.
The selection is of 2019-04-07, from before authors were published sentence by sentence, so they cannot be named.

Changed by heed: the text was normalised (Unicode NFC, plain quotation marks, no zero-width characters or soft
hyphens, single plain spaces); rows that became equal were merged; rows were reordered and split into train, valid
and test; 1,591 rows were left out. No source and no target sentence is in two splits, not even with other case or
punctuation.

Keep this notice with the data. Rows are source<TAB>target, UTF-8, gzip.
`,
};
