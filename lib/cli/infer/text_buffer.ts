// Text that grows, kept as bytes: numbers are written into it without making strings of them.
import { POWERS } from './numbers.js';

const ZERO = 48;
const MINUS = 45;
const DOT = 46;

/** The longest number is a double of 24 characters; an int64 has 20. */
const LONGEST_NUMBER = 32;

/** The shortest decimal number that a float32 reads back from; seven digits do for most, nine for all. */
function shortestFloat32(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

/** Bytes of text. */
export class TextBuffer {
  private bytes = Buffer.allocUnsafe(1 << 16);
  private length = 0;

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.length + more));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  /** Appends a string. */
  text(text: string): void {
    this.reserve(3 * text.length);
    this.length += this.bytes.write(text, this.length, 'utf8');
  }

  /** Appends bytes that stand for short text, as the keys of every line. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    // A loop is faster than set() for a few bytes.
    for (let i = 0; i < bytes.length; i++) this.bytes[this.length++] = bytes[i]!;
  }

  /** Appends a single character below 128, by its code. */
  byte(code: number): void {
    this.reserve(1);
    this.bytes[this.length++] = code;
  }

  /** Appends `digits` (a whole number below 2^31) with `decimals` of its digits behind the point. */
  private decimal(negative: boolean, digits: number, decimals: number): void {
    this.reserve(LONGEST_NUMBER);
    const { bytes } = this;
    if (negative) bytes[this.length++] = MINUS;
    let places = 1;
    while (places < 10 && digits >= POWERS[places]!) places++;
    places = Math.max(places, decimals + 1);
    const end = this.length + places + (decimals > 0 ? 1 : 0);
    let rest = digits | 0;
    let at = end;
    for (let place = 0; place < places; place++) {
      if (place === decimals && decimals > 0) bytes[--at] = DOT;
      const next = (rest / 10) | 0;
      bytes[--at] = ZERO + rest - 10 * next;
      rest = next;
    }
    this.length = end;
  }

  /** Appends a number so that the same double reads back from it. */
  number(value: number | bigint): void {
    if (typeof value === 'number' && Number.isInteger(value) && value > -(2 ** 31) && value < 2 ** 31)
      this.decimal(value < 0, Math.abs(value), 0);
    else this.text(String(value));
  }

  /** Appends a finite float32, with as few digits as it reads back from. */
  float32(value: number): void {
    const size = Math.abs(value);
    if (!(size >= 1e-6 && size < 1e6))
      return this.number(size < 2 ** 31 && Number.isInteger(value) ? value : shortestFloat32(value));
    let exponent = -6;
    while (exponent < 5 && size >= (exponent < -1 ? 1 / POWERS[-exponent - 1]! : POWERS[exponent + 1]!)) exponent++;
    for (let digits = 6; digits <= 9; digits++) {
      let decimals = digits - 1 - exponent;
      // The power is exact, so that the quotient is the double nearest to the decimal number.
      let whole = Math.round(size * POWERS[decimals]!);
      if (Math.fround(whole / POWERS[decimals]!) !== size) continue;
      while (decimals > 0 && whole % 10 === 0) {
        whole /= 10;
        decimals--;
      }
      return this.decimal(value < 0, whole, decimals);
    }
    this.number(shortestFloat32(value));
  }

  /** What is there, as bytes of their own; the buffer is empty afterwards. */
  take(): Buffer {
    const bytes = Buffer.from(this.bytes.subarray(0, this.length));
    this.length = 0;
    return bytes;
  }
}
