// The bytes of a pickle as it is written: opcodes and numbers.
import { dataView } from './bytes.js';

/** Grows as it is written to. */
export class PickleOutput {
  private buffer = new Uint8Array(1 << 12);
  private view = dataView(this.buffer);
  private at = 0;

  /** What was written so far. */
  protected written(): Uint8Array {
    return this.buffer.subarray(0, this.at);
  }

  private room(n: number): number {
    const at = this.at;
    if (at + n > this.buffer.length) {
      const larger = new Uint8Array(Math.max(2 * this.buffer.length, at + n));
      larger.set(this.buffer);
      this.buffer = larger;
      this.view = dataView(larger);
    }
    this.at += n;
    return at;
  }

  /** Single bytes: opcodes and what they carry. */
  protected bytes(...values: number[]): void {
    const at = this.room(values.length);
    this.buffer.set(values, at);
  }

  protected raw(bytes: Uint8Array): void {
    const at = this.room(bytes.length);
    this.buffer.set(bytes, at);
  }

  /** An opcode and 32 bits. */
  protected u32(op: number, value: number): void {
    this.bytes(op);
    const at = this.room(4);
    this.view.setUint32(at, value, true);
  }

  /** An int where the number is whole and exact, else a float. */
  protected number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.float(value);
    else if (value >= 0 && value < 256) this.bytes(0x4b, value);
    else if (value >= 0 && value < 65536) this.bytes(0x4d, value & 255, value >> 8);
    else if (value >= -(2 ** 31) && value < 2 ** 31) this.u32(0x4a, value >>> 0);
    else this.long(BigInt(value));
  }

  protected float(value: number): void {
    this.bytes(0x47);
    const at = this.room(8);
    this.view.setFloat64(at, value, false);
  }

  protected integer(value: bigint): void {
    if (value >= BigInt(-(2 ** 31)) && value < BigInt(2 ** 31)) this.number(Number(value));
    else this.long(value);
  }

  /** Little-endian two's complement, with a byte or four for the width. */
  private long(value: bigint): void {
    let width = 1;
    while (BigInt.asIntN(8 * width, value) !== value) width = width < 16 ? width + 1 : 2 * width;
    const hex = BigInt.asUintN(8 * width, value)
      .toString(16)
      .padStart(2 * width, '0');
    if (width < 256) this.bytes(0x8a, width);
    else this.u32(0x8b, width);
    this.raw(Buffer.from(hex, 'hex').reverse());
  }
}
