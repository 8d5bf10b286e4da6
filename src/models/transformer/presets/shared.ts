/** Sizes that every preset takes. */
export interface PresetSizes {
  layers: number;
  /** C */
  width: number;
  heads: number;
  /** F. @default 4·C */
  inner?: number;
  /** V */
  vocabulary: number;
  /** Share dropped in training. @default 0.1 */
  dropout?: number;
}
