import type { BoundingBox } from "../../models/set/bounding-boxes.ts";
import { type DetectionsOptions, detections, type Picture } from "../../viz/index.ts";
import { SCENE_SIDE } from "../scenes/compose.ts";
import type { SceneLook } from "./detector.ts";

/** A rectangle in pixels, its upper left corner at x, y. */
export interface PixelBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** How a picture became a scene: its size, and where it stands in the scene, in pixels of the scene. */
export interface PicturePlace {
  readonly height: number;
  readonly width: number;
  readonly place: PixelBox;
}

/** The place of a picture that is a scene already. */
export const WHOLE_SCENE: PicturePlace = {
  height: SCENE_SIDE,
  width: SCENE_SIDE,
  place: { x: 0, y: 0, width: SCENE_SIDE, height: SCENE_SIDE },
};

/**
 * A box of a scene in pixels of the picture that the scene was made of, cut at the picture's edges.
 *
 *     x_picture = (SCENE_SIDE·x_scene − place.x)·width/place.width, and so for y
 *
 * @returns undefined where nothing of it lies on the picture, but on the margins around it
 * @example
 * const wide = { height: 100, width: 200, place: { x: 0, y: 16, width: 64, height: 32 } };
 * boxOnPicture([0.5, 0.5, 0.5, 0.25], wide); // { x: 50, y: 25, width: 100, height: 50 }
 * boxOnPicture([0.5, 0.1, 0.5, 0.1], wide); // undefined
 */
export function boxOnPicture(
  [x, y, w, h]: BoundingBox,
  { height, width, place }: PicturePlace,
): PixelBox | undefined {
  const along = (centre: number, extent: number, from: number, shown: number, size: number) => {
    const [low, high] = [centre - extent / 2, centre + extent / 2].map((at) =>
      Math.min(size, Math.max(0, ((SCENE_SIDE * at - from) * size) / shown)),
    );
    return [low!, high! - low!] as const;
  };
  const [left, across] = along(x, w, place.x, place.width, width);
  const [top, down] = along(y, h, place.y, place.height, height);
  return across > 0 && down > 0 ? { x: left, y: top, width: across, height: down } : undefined;
}

/** The whole scene in pixels of the picture, margins included: it reaches beyond a picture that is not square. */
function sceneOnPicture({ height, width, place }: PicturePlace): PixelBox {
  const [across, down] = [width / place.width, height / place.height];
  return {
    ...{ x: -place.x * across, y: -place.y * down },
    ...{ width: SCENE_SIDE * across, height: SCENE_SIDE * down },
  };
}

/**
 * The picture with its boxes, and once more for each item with what its query looked at: an SVG document.
 *
 * @param picture what is drawn: the picture that the scene was made of, or a smaller copy of it
 * @param origin how the picture became the scene; its size is that of `picture`
 */
export function drawDetections(
  picture: Picture,
  { found, grid }: SceneLook,
  { place }: Pick<PicturePlace, "place"> = WHOLE_SCENE,
  options: DetectionsOptions = {},
): string {
  const origin = { height: picture.height, width: picture.width, place };
  const panels = found.flatMap(({ name, score, box, attention: map }) => {
    const onPicture = boxOnPicture(box, origin);
    return onPicture ? [{ name, score, box: onPicture, map }] : [];
  });
  return detections({ image: picture, grid, place: sceneOnPicture(origin), found: panels }, options);
}
