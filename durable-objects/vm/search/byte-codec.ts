/**
 * Bytes written and read one after another: whole numbers in as few bytes as they need, strings, and 64-bit floats.
 *
 * Use `ByteWriter` and take `bytes()`; read with `ByteReader` in the same order.
 * What must hold: every string survives, lone surrogates too (strings are kept as UTF-16 units); numbers are whole, from 0 to
 * 2^53; reading beyond the end throws.
 */
import { grown } from "#kernel/vm/search/block-lists.ts";

export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  number(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#byte((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.#byte(rest);
  }

  text(text: string): void {
    this.number(text.length);
    for (let index = 0; index < text.length; index += 1) this.number(text.charCodeAt(index));
  }

  float(value: number): void {
    this.#makeRoom(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  append(other: ByteWriter): void {
    this.#makeRoom(other.#length);
    this.#bytes.set(other.#bytes.subarray(0, other.#length), this.#length);
    this.#length += other.#length;
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const more = new Uint8Array(grown(this.#bytes.length, this.#length + bytes));
    more.set(this.#bytes);
    this.#bytes = more;
  }

  #byte(value: number): void {
    this.#makeRoom(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #units: number[] = [];
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  number(): number {
    let byte = this.#byte();
    let value = byte & 127;
    for (let scale = 128; byte >= 128; scale *= 128) {
      byte = this.#byte();
      value += (byte & 127) * scale;
    }
    return value;
  }

  text(): string {
    const length = this.number();
    if (length > this.#bytes.length - this.#at) throw new RangeError("byte reader: a text beyond the end");
    this.#units.length = length;
    for (let index = 0; index < length; index += 1) this.#units[index] = this.number();
    return String.fromCharCode(...this.#units);
  }

  float(): number {
    const at = this.#at;
    this.#at += 8;
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength).getFloat64(at, true);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError("byte reader: beyond the end");
    this.#at += 1;
    return byte;
  }
}
