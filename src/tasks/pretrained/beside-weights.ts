/**
 * What stands beside the weights in a folder as the Hugging Face hub has it, and goes with a model wherever it goes: what reads
 * text and images, how to generate and to pool, the licence. `config.json` is not among them: it is made anew with the weights.
 */
export const BESIDE: readonly string[] = [
  ...["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt"],
  ...["vocab.json", "merges.txt", "spiece.model", "sentencepiece.bpe.model", "source.spm", "target.spm"],
  ...["tokenizer.model", "chat_template.jinja", "generation_config.json", "preprocessor_config.json"],
  ...["modules.json", "sentence_bert_config.json", "config_sentence_transformers.json", "LICENSE"],
];

/** Configurations, tokenizers by other names, what sentence-transformers keeps in folders, adapters. */
const OTHERS =
  /^(?:config\.json|tokenizer[\w-]*\.json|\d+_\w+\/config\.json|adapter_(?:config\.json|model\.safetensors))$/;

/** Whether a file of a repository is needed beside its weights, by its name. */
export const isBesideWeights = (name: string): boolean => BESIDE.includes(name) || OTHERS.test(name);
