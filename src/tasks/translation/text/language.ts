/** The languages that heed translates English to. */
export const TARGET_LANGUAGES = ["fr", "de", "es"] as const;

export type TargetLanguage = (typeof TARGET_LANGUAGES)[number];

export function isTargetLanguage(language: string): language is TargetLanguage {
  return (TARGET_LANGUAGES as readonly string[]).includes(language);
}
