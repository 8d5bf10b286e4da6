import type { Sound } from "../../data/wav.ts";

/** Zeros of the filter on either side. */
const ZEROS = 16;

/**
 * A sound at another rate: band-limited interpolation, so that what lies above the lower of both half rates does not come back
 * as something else.
 *
 *     y[n] = Σ_m x[m] · c·sinc(c·d) · cos²(π·c·d/(2·ZEROS)),    d = n·from/to − m,    c = min(1, to/from)
 *
 * Symbols: x samples, sinc(t) = sin(πt)/(πt), which is windowed beyond ZEROS of its zeros on either side.
 * Shapes: [N] → [⌊N·to/from⌋]. Cost: O(N·ZEROS·max(1, to/from)). Source: Smith & Gossett 1984,
 * doi.org/10.1109/ICASSP.1984.1172555.
 *
 * @example
 * resample({ samples: new Float64Array(441), rate: 44_100 }, 8000).samples.length; // 80
 */
export function resample({ samples, rate: from }: Sound, to: number): Sound {
  if (from === to) return { samples, rate: to };
  const cut = Math.min(1, to / from);
  const reach = ZEROS / cut;
  const N = Math.floor((samples.length * to) / from);
  const out = new Float64Array(N);
  for (let n = 0; n < N; n++) {
    const at = (n * from) / to;
    let sum = 0;
    const last = Math.min(samples.length - 1, Math.floor(at + reach));
    for (let m = Math.max(0, Math.ceil(at - reach)); m <= last; m++) {
      const d = cut * (at - m);
      const sinc = d === 0 ? 1 : Math.sin(Math.PI * d) / (Math.PI * d);
      sum += samples[m]! * cut * sinc * Math.cos((Math.PI * d) / (2 * ZEROS)) ** 2;
    }
    out[n] = sum;
  }
  return { samples: out, rate: to };
}
