import { membership } from "../splits/tatoeba-en-fr.ts";
import { tatoeba } from "./tatoeba.ts";

/** 165,348 everyday English sentences with their French translations. */
export const tatoebaEnFr = tatoeba({
  to: "fr",
  language: "French",
  date: "2019-04-07",
  leftOut: 1591,
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
});
