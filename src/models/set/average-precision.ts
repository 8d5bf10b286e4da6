import { boxOverlap } from "./bounding-boxes.ts";
import type { Detection } from "./detection-transformer.ts";
import type { SceneObject } from "./matching.ts";

/**
 * Average precision of detections: the area under precision over recall, a mean over the classes.
 *
 *     of one class: detections of all scenes, highest score first; each finds the object of its class and scene that it overlaps
 *     most, if by `least` at least and if no detection before it found that one
 *     precision(n) = found / n of the first n,  recall(n) = found / objects,  AP = Σ_n (recall(n) − recall(n − 1))·max_{m ≥ n} precision(m)
 *
 * Symbols: `least` the intersection over union that counts; 0.5 gives AP50.
 * Conventions: every object is found once; a second detection of it is wrong. Classes without an object do not count, and
 * without any object at all the result is NaN. All points are used, not eleven (PASCAL VOC 2010 and later).
 * Cost: O(D·log D + D·O) for D detections and O objects of a scene.
 * Paper: Everingham et al. 2010, §4.2, doi.org/10.1007/s11263-009-0275-4.
 *
 * @param scenes what was found in each scene and what it holds; detections of any score
 * @example
 * const box = [0.5, 0.5, 0.2, 0.2];
 * const found = [{ label: 0, score: 0.9, box, query: 0 }, { label: 0, score: 0.8, box, query: 1 }];
 * averagePrecision([{ found, objects: [{ label: 0, box }] }]); // 1
 * averagePrecision([{ found: found.slice(1), objects: [{ label: 0, box }, { label: 1, box }] }]); // 0.5
 */
export function averagePrecision(
  scenes: readonly { readonly found: readonly Detection[]; readonly objects: readonly SceneObject[] }[],
  least = 0.5,
): number {
  const labels = new Set(scenes.flatMap(({ objects }) => objects.map(({ label }) => label)));
  const precisions = [...labels].map((label) => ofClass(scenes, label, least));
  return precisions.reduce((sum, n) => sum + n, 0) / precisions.length;
}

function ofClass(scenes: Parameters<typeof averagePrecision>[0], label: number, least: number): number {
  const objects = scenes.map((scene) => scene.objects.filter((object) => object.label === label));
  const count = objects.reduce((sum, own) => sum + own.length, 0);
  const taken = objects.map(() => new Set<number>());
  const ranked = scenes
    .flatMap(({ found }, scene) =>
      found.filter((one) => one.label === label).map(({ score, box }) => ({ score, box, scene })),
    )
    .sort((a, b) => b.score - a.score);
  let right = 0;
  const points = ranked.map(({ box, scene }, n) => {
    const ious = objects[scene]!.map((object) => boxOverlap(box, object.box).iou);
    const best = ious.indexOf(Math.max(...ious));
    if (best >= 0 && ious[best]! >= least && !taken[scene]!.has(best)) {
      taken[scene]!.add(best);
      right++;
    }
    return { precision: right / (n + 1), recall: right / count };
  });
  let area = 0;
  let precision = 0;
  for (let n = points.length - 1; n >= 0; n--) {
    precision = Math.max(precision, points[n]!.precision);
    area += precision * (points[n]!.recall - (points[n - 1]?.recall ?? 0));
  }
  return area;
}
