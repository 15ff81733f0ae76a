// The bytes of a pickle, read through a window, so that a stream of any length needs little memory.
import { RuntimeError } from '../core/errors.js';
import { type ByteSource, dataView } from './bytes.js';

const WINDOW = 1 << 16;
const NEWLINE = 10;

/** A cursor over part of a source. Every length is compared with what is left before memory is taken for it. */
export class PickleInput {
  private window = new Uint8Array(0);
  private view = dataView(this.window);
  /** Where the window starts in the source. */
  private base: number;
  private at = 0;

  constructor(
    private readonly source: ByteSource,
    start = 0,
    private readonly end = source.size,
  ) {
    this.base = start;
  }

  /** The position in the source. */
  get position(): number {
    return this.base + this.at;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** Makes `n` bytes (at most WINDOW) available at `at`. */
  private need(n: number): number {
    if (this.at + n > this.window.length) {
      const start = this.position;
      if (n > this.end - start) throw new RuntimeError('the pickle ends early');
      this.window = new Uint8Array(Math.min(WINDOW, this.end - start));
      this.source.read(start, this.window);
      this.view = dataView(this.window);
      this.base = start;
      this.at = 0;
    }
    const at = this.at;
    this.at += n;
    return at;
  }

  u8(): number {
    const at = this.need(1);
    return this.window[at]!;
  }

  u16(): number {
    const at = this.need(2);
    return this.view.getUint16(at, true);
  }

  u32(): number {
    const at = this.need(4);
    return this.view.getUint32(at, true);
  }

  i32(): number {
    const at = this.need(4);
    return this.view.getInt32(at, true);
  }

  /** A length of 64 bits; anything beyond the end of the pickle is refused by whoever takes the bytes. */
  u64(): number {
    const at = this.need(8);
    return Number(this.view.getBigUint64(at, true));
  }

  /** A big-endian float64, as opcode BINFLOAT has it. */
  f64(): number {
    const at = this.need(8);
    return this.view.getFloat64(at, false);
  }

  /** A copy of the next `n` bytes. */
  take(n: number): Uint8Array {
    if (n > this.remaining || n < 0)
      throw new RuntimeError(`the pickle ends early: ${n} bytes expected, ${this.remaining} left`);
    if (n <= WINDOW) {
      const at = this.need(n);
      return this.window.slice(at, at + n);
    }
    const bytes = new Uint8Array(n);
    this.source.read(this.position, bytes);
    this.skip(n);
    return bytes;
  }

  skip(n: number): void {
    if (n > this.remaining) throw new RuntimeError('the pickle ends early');
    this.base = this.position + n;
    this.at = 0;
    this.window = new Uint8Array(0);
  }

  /** Bytes up to a newline, which is passed over. */
  line(): Uint8Array {
    const parts: Uint8Array[] = [];
    for (;;) {
      if (this.at === this.window.length) {
        this.need(1);
        this.at--;
      }
      const end = this.window.indexOf(NEWLINE, this.at);
      parts.push(this.window.slice(this.at, end === -1 ? undefined : end));
      this.at = end === -1 ? this.window.length : end + 1;
      if (end !== -1) return Buffer.concat(parts);
    }
  }
}
