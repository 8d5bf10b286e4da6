import { LENGTH_BYTES, parseSafetensorsHeader, safetensorsHeaderBytes } from "../core/safetensors-header.ts";
import type { ByteSource } from "./bytes.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { tensorOf } from "./names.ts";
import { toFloat32 } from "./numbers.ts";

/**
 * Opens a safetensors file: its header is read now, each tensor when it is asked for. F8, F16 and BF16 become float32.
 *
 * Format: github.com/huggingface/safetensors, README § Format.
 *
 * @throws DataError DAMAGED, LIMIT, UNSUPPORTED
 */
export async function openSafetensors(source: ByteSource): Promise<Checkpoint> {
  const first = await source.read(0, Math.min(LENGTH_BYTES, source.size));
  const headerBytes = safetensorsHeaderBytes(first, source.size);
  const dataStart = LENGTH_BYTES + headerBytes;
  const header = await source.read(LENGTH_BYTES, headerBytes);
  const { metadata, places } = parseSafetensorsHeader(header, source.size - dataStart);
  const found = new Map(places.map((place) => [place.name, place]));
  return {
    format: "safetensors",
    tensors: new Map(
      places.map(({ name, dtype, shape, begin, end }) => [name, { dtype, shape, bytes: end - begin }]),
    ),
    metadata: new Map(Object.entries(metadata)),
    async read(name) {
      const { dtype, begin, end } = tensorOf(source.name, found, name);
      return toFloat32(source.name, name, dtype, await source.read(dataStart + begin, end - begin));
    },
    close: () => source.close(),
  };
}
