/** A vowel of American English: its symbol, a word that has it, and the formants of two kinds of speakers. */
export interface Vowel {
  readonly name: string;
  readonly word: string;
  /** F1, F2, F3 in Hz, the means over 33 men and over 28 women. */
  readonly formants: readonly (readonly [f1: number, f2: number, f3: number])[];
}

/**
 * Ten vowels by the averages that Peterson & Barney measured, table II of "Control methods used in a study of the vowels",
 * Journal of the Acoustical Society of America 24, 1952, doi.org/10.1121/1.1906875.
 */
export const VOWELS: readonly Vowel[] = [
  {
    name: "i",
    word: "heed",
    formants: [
      [270, 2290, 3010],
      [310, 2790, 3310],
    ],
  },
  {
    name: "ɪ",
    word: "hid",
    formants: [
      [390, 1990, 2550],
      [430, 2480, 3070],
    ],
  },
  {
    name: "ɛ",
    word: "head",
    formants: [
      [530, 1840, 2480],
      [610, 2330, 2990],
    ],
  },
  {
    name: "æ",
    word: "had",
    formants: [
      [660, 1720, 2410],
      [860, 2050, 2850],
    ],
  },
  {
    name: "ɑ",
    word: "hod",
    formants: [
      [730, 1090, 2440],
      [850, 1220, 2810],
    ],
  },
  {
    name: "ɔ",
    word: "hawed",
    formants: [
      [570, 840, 2410],
      [590, 920, 2710],
    ],
  },
  {
    name: "ʊ",
    word: "hood",
    formants: [
      [440, 1020, 2240],
      [470, 1160, 2680],
    ],
  },
  {
    name: "u",
    word: "who'd",
    formants: [
      [300, 870, 2240],
      [370, 950, 2670],
    ],
  },
  {
    name: "ʌ",
    word: "hud",
    formants: [
      [640, 1190, 2390],
      [760, 1400, 2780],
    ],
  },
  {
    name: "ɝ",
    word: "heard",
    formants: [
      [490, 1350, 1690],
      [500, 1640, 1960],
    ],
  },
];
