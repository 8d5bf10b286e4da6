import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { DataError } from "../../core/errors.ts";

/** Bytes that are made where they go, so that a large tensor is never there twice. */
export interface LazyBytes {
  readonly byteLength: number;
  fill(target: Uint8Array): void;
}

/** Protocol buffers end here: a message's length is a signed number of 32 bits to those that read it. */
const MOST_BYTES = 2 ** 31 - 1;

/** One message of protocol buffers: fields one after the other, long ones as references until all is written. */
export class Message {
  readonly #writer = new BinaryWriter();
  readonly #parts: (Uint8Array | LazyBytes)[] = [];
  #byteLength = 0;

  int(field: number, value: number): this {
    this.#writer.tag(field, WireType.Varint).int64(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#writer.tag(field, WireType.Bit32).float(value);
    return this;
  }

  text(field: number, value: string): this {
    this.#writer.tag(field, WireType.LengthDelimited).string(value);
    return this;
  }

  bytes(field: number, value: LazyBytes): this {
    this.#writer.tag(field, WireType.LengthDelimited).uint32(value.byteLength);
    this.#flush();
    this.#add(value);
    return this;
  }

  message(field: number, value: Message): this {
    value.#flush();
    this.#writer.tag(field, WireType.LengthDelimited).uint32(value.#byteLength);
    this.#flush();
    for (const part of value.#parts) this.#add(part);
    return this;
  }

  /** @throws DataError LIMIT for more than 2 GiB, which no reader of this format takes */
  toBytes(): Uint8Array {
    this.#flush();
    if (this.#byteLength > MOST_BYTES) {
      throw new DataError("LIMIT", {
        op: "exportOnnx",
        rule: `an ONNX file with its weights must be at most ${MOST_BYTES} bytes`,
        got: this.#byteLength,
        remedy: "export a smaller model, or write the weights as safetensors",
      });
    }
    const bytes = new Uint8Array(this.#byteLength);
    let at = 0;
    for (const part of this.#parts) {
      const target = bytes.subarray(at, at + part.byteLength);
      if (part instanceof Uint8Array) target.set(part);
      else part.fill(target);
      at += part.byteLength;
    }
    return bytes;
  }

  #flush(): void {
    const bytes = this.#writer.finish();
    if (bytes.length > 0) this.#add(bytes);
  }

  #add(part: Uint8Array | LazyBytes): void {
    this.#parts.push(part);
    this.#byteLength += part.byteLength;
  }
}
