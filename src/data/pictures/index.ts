/** Pictures that people bring: PNG and JPEG of any kind, read as bytes and made into what a model reads. */
export {
  type GreyPicture,
  type GreyPictureOptions,
  greyPicture,
  greyRectangle,
  sceneOf,
} from "./grey-picture.ts";
export { exifOrientation, orient } from "./orientation.ts";
export { decodePicture, type ReadPictureOptions, readPicture } from "./read-picture.ts";
export type { RgbaPicture } from "./rgba-picture.ts";
