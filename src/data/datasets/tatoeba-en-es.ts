import { membership } from "../splits/tatoeba-en-es.ts";
import { tatoeba } from "./tatoeba.ts";

/** 117,798 everyday English sentences with their Spanish translations. */
export const tatoebaEnEs = tatoeba({
  to: "es",
  language: "Spanish",
  date: "2018-05-14",
  leftOut: 1166,
  url:
    "https://raw.githubusercontent.com/Hoangduc212001/hoang/" +
    "2cfd26f9551f5c2d614e8000500891801840a438/spa-eng.zip",
  bytes: 2767131,
  sha256: "f80e581ae291aa34dd3aba7bd98b5e9505234da4318e2f3295df70a1520c7f61",
  member: "spa-eng/spa.txt",
  membership,
  splits: {
    train: { rows: 113193, sha256: "c7792c97e8a7df05a5f08db39e783ee211996b8b72156b796ae0532fac037a0c" },
    valid: { rows: 2319, sha256: "e32061bd0963f0cdc63c9978d79fd885d374f3148c405b3c3295e602f55db64a" },
    test: { rows: 2286, sha256: "19396154cd1c4c9550357704f14a4c126f6741dbe28c152de38354d89172ec90" },
  },
});
