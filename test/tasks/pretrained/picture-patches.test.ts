/** Pictures as published Vision Transformers prepare them, against Pillow. */
import { expect, test } from "vitest";
import { pictureFormat, squareOf } from "../../../src/tasks/pretrained/picture-patches.ts";

/** What Pillow 9.4 makes of pictures whose byte n is 37 n mod 256: `Image.resize((size, size), resample)`. */
const PILLOW: readonly [height: number, width: number, size: number, resample: number, pixels: number[]][] = [
  [
    7,
    11,
    4,
    2,
    [
      113, 113, 118, 127, 124, 115, 116, 131, 130, 127, 109, 135, 151, 136, 119, 122, 143, 141, 121, 126, 137,
      118, 119, 133, 126, 130, 113, 123, 137, 123, 125, 122, 141, 145, 126, 125, 117, 139, 119, 128, 125, 117,
      117, 123, 133, 136, 121, 115,
    ],
  ],
  [
    7,
    11,
    4,
    3,
    [
      112, 111, 118, 130, 121, 113, 116, 134, 130, 124, 107, 138, 152, 139, 120, 121, 145, 146, 123, 127, 138,
      116, 117, 131, 127, 128, 108, 121, 139, 124, 124, 118, 142, 148, 131, 126, 120, 144, 120, 128, 122, 113,
      114, 124, 135, 135, 116, 113,
    ],
  ],
  [
    3,
    5,
    6,
    2,
    [
      0, 37, 74, 83, 120, 157, 176, 63, 100, 162, 49, 86, 105, 142, 115, 188, 225, 6, 11, 48, 85, 94, 131,
      168, 149, 74, 111, 135, 60, 97, 116, 137, 126, 199, 172, 17, 32, 69, 106, 115, 152, 189, 96, 95, 132,
      82, 81, 118, 137, 126, 147, 220, 65, 38, 54, 91, 128, 137, 174, 163, 80, 117, 127, 66, 103, 140, 143,
      132, 169, 178, 23, 60, 75, 112, 149, 158, 195, 88, 101, 138, 96, 87, 124, 161, 132, 153, 190, 71, 44,
      81, 86, 123, 160, 169, 206, 51, 112, 149, 80, 98, 135, 172, 127, 164, 201, 18, 55, 92,
    ],
  ],
  [
    3,
    5,
    6,
    3,
    [
      0, 29, 66, 74, 129, 166, 205, 54, 91, 178, 26, 77, 87, 147, 123, 188, 249, 0, 6, 40, 77, 89, 140, 182,
      168, 65, 105, 141, 41, 88, 104, 143, 134, 205, 186, 8, 27, 64, 100, 123, 164, 215, 90, 89, 133, 62, 72,
      110, 140, 133, 158, 241, 53, 32, 51, 88, 127, 153, 188, 177, 65, 113, 125, 40, 100, 140, 153, 142, 182,
      189, 1, 56, 75, 112, 156, 175, 212, 73, 96, 137, 81, 80, 123, 174, 143, 168, 206, 56, 37, 80, 86, 123,
      170, 186, 223, 24, 111, 148, 61, 98, 134, 190, 138, 180, 217, 0, 54, 91,
    ],
  ],
];

test.each(PILLOW)("%d × %d pixels become %d a side by filter %d", (height, width, size, resample, wanted) => {
  const data = new Uint8Array(height * width * 4).fill(255);
  for (let n = 0; n < height * width * 3; n++) data[4 * Math.floor(n / 3) + (n % 3)] = (n * 37) % 256;
  const format = pictureFormat({ image_size: size, patch_size: 1 }, { resample });
  const made = squareOf({ height, width, channels: 4, data }, format);
  // Pillow's shares are fixed-point numbers, so a byte may fall on the other side of a half.
  expect(Math.max(...made.map((byte, n) => Math.abs(byte - wanted[n]!)))).toBeLessThanOrEqual(1);
  expect(made.filter((byte, n) => byte !== wanted[n]).length).toBeLessThan(wanted.length / 8);
});

test("a preparation that is not known is refused by what it says", () => {
  const config = { image_size: 6, patch_size: 3 };
  for (const [given, preprocessor, sentence] of [
    [{ ...config, num_channels: 2 }, {}, "pictures must have three channels, got 2"],
    [{ ...config, patch_size: 4 }, {}, "pictures must be squares of whole patches, got [6,4]"],
    [config, { resample: 5 }, "resample must be 2 (bilinear) or 3 (bicubic), got 5"],
    [config, { resample: "constructor" }, 'resample must be 2 (bilinear) or 3 (bicubic), got "constructor"'],
    [config, { image_mean: [0.5] }, "image_mean must be three numbers, got [0.5]"],
    [config, { image_std: [0.5, 0, 1] }, "image_std must be three numbers other than 0, got [0.5,0,1]"],
    [config, { rescale_factor: "x" }, 'rescale_factor must be a number, got "x"'],
  ] as const)
    expect(() => pictureFormat(given, preprocessor)).toThrow(
      `PretrainedModel: ${sentence}; choose another model`,
    );
  expect(pictureFormat(config, {}).mean).toEqual([0.5, 0.5, 0.5]);
  expect(pictureFormat(config, { do_normalize: false, do_rescale: false })).toMatchObject({
    ...{ factor: 1, mean: [0, 0, 0], deviation: [1, 1, 1] },
  });
});
