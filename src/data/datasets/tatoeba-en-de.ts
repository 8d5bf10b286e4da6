import { membership } from "../splits/tatoeba-en-de.ts";
import { tatoeba } from "./tatoeba.ts";

/** 168,170 everyday English sentences with their German translations. */
export const tatoebaEnDe = tatoeba({
  to: "de",
  language: "German",
  date: "2018-05-13",
  leftOut: 1643,
  url:
    "https://raw.githubusercontent.com/rioyshky/translation/" +
    "de48b7027f7318d77010a6e08ed928c10748c23d/deu-eng.zip",
  bytes: 4012023,
  sha256: "b7688f84f99fa33c17397c14d8bd9cef1fdeb2ee0bf50074767023aee8926e28",
  member: "deu.txt",
  membership,
  splits: {
    train: { rows: 161463, sha256: "2e48810f546daa48d9177b5aec88a941700f8a7c800a7e5f84d890f7d81c06fa" },
    valid: { rows: 3312, sha256: "380121ea70bf6b6b0c3fdfce3f3943f866a2ad940465d03dba3881b94cbec38c" },
    test: { rows: 3395, sha256: "af676a88d4c0b315b44f727bb0b5b441bcd77715bf71cf661940c4265f7fcbcf" },
  },
});
