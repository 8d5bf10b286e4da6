type Value = number | boolean | string | readonly string[] | readonly number[];

/** Bytes of a GGUF file of float32 tensors, version 3: shapes as here, [out, in], which the file has the other way round. */
export function encodeGguf(
  metadata: Readonly<Record<string, Value>>,
  tensors: Readonly<Record<string, { shape: readonly number[]; values: Float32Array }>>,
): Uint8Array {
  const parts: Buffer[] = [Buffer.from("GGUF")];
  const u32 = (n: number) => parts.push(Buffer.from(Uint32Array.of(n).buffer));
  const u64 = (n: number) => parts.push(Buffer.from(BigUint64Array.of(BigInt(n)).buffer));
  const f32 = (n: number) => parts.push(Buffer.from(Float32Array.of(n).buffer));
  const text = (given: string) => {
    const bytes = Buffer.from(given);
    u64(bytes.length);
    parts.push(bytes);
  };
  // Kinds of values: 5 int32, 6 float32, 7 bool, 8 text, 9 a list of one of them.
  const kindOf = (one: number | boolean | string) =>
    typeof one === "string" ? 8 : typeof one === "boolean" ? 7 : Number.isInteger(one) ? 5 : 6;
  const plain = (one: number | boolean | string, kind: number) => {
    if (kind === 8) text(one as string);
    else if (kind === 7) parts.push(Buffer.from([one ? 1 : 0]));
    else if (kind === 6) f32(one as number);
    else u32(one as number);
  };
  u32(3);
  u64(Object.keys(tensors).length);
  u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    text(key);
    if (typeof value !== "object") {
      u32(kindOf(value));
      plain(value, kindOf(value));
      continue;
    }
    const kind = (value as readonly unknown[]).every((one) => Number.isInteger(one)) ? 5 : kindOf(value[0]!);
    u32(9);
    u32(kind);
    u64(value.length);
    for (const one of value) plain(one, kind);
  }
  let offset = 0;
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    text(name);
    u32(shape.length);
    for (const n of shape.toReversed()) u64(n);
    u32(0);
    u64(offset);
    offset += 32 * Math.ceil(values.byteLength / 32);
  }
  const aligned = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((32 - (bytes.length % 32)) % 32)]);
  const data = Object.values(tensors).map(({ values }) =>
    aligned(Buffer.from(values.buffer, values.byteOffset, values.byteLength)),
  );
  return new Uint8Array(Buffer.concat([aligned(Buffer.concat(parts)), ...data]));
}
