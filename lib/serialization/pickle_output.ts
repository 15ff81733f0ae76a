// The bytes of a pickle as it is written: opcodes and numbers, in the dialect of a protocol (2 to 5).
import { RuntimeError } from '../core/errors.js';
import { dataView } from './bytes.js';
import { encodeUtf8, latin1 } from './text.js';

/** The protocols that can be written. PyTorch's `torch.load(weights_only=True)` knows the opcodes of 2 only. */
export const PROTOCOLS = [2, 3, 4, 5] as const;

/** Names that Python 2 had otherwise: what protocol 2 writes also under Python 3. */
const NAMES_OF_PYTHON_2 = new Map([['builtins str', '__builtin__ unicode']]);
const MAX_LENGTH = 2 ** 32;

/** Opcodes whose meaning does not depend on the protocol. */
export const OP = {
  mark: 0x28,
  stop: 0x2e,
  pop: 0x30,
  popMark: 0x31,
  persistent: 0x51,
  reduce: 0x52,
  emptyTuple: 0x29,
  tuple: 0x74,
  emptyList: 0x5d,
  appends: 0x65,
  emptyDict: 0x7d,
  setItems: 0x75,
  emptySet: 0x8f,
  addItems: 0x90,
  frozenset: 0x91,
  newObject: 0x81,
  build: 0x62,
  none: 0x4e,
  true: 0x88,
  false: 0x89,
} as const;

/** Grows as it is written to. */
export class PickleOutput {
  private buffer = new Uint8Array(1 << 12);
  private view = dataView(this.buffer);
  private at = 0;
  private readonly memo = new Map<unknown, number>();
  /** Keys of globals in the memo: objects, so that no string of the value can be taken for one. */
  private readonly globals = new Map<string, object>();

  constructor(protected readonly protocol: number) {}

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

  private raw(bytes: Uint8Array): void {
    const at = this.room(bytes.length);
    this.buffer.set(bytes, at);
  }

  /** An opcode and 32 bits. */
  private u32(op: number, value: number): void {
    this.bytes(op);
    const at = this.room(4);
    this.view.setUint32(at, value, true);
  }

  // ---- The memo: what was written before is referred to

  /** Remembers the value on top of the stack. */
  protected put(key: unknown): void {
    const index = this.memo.size;
    this.memo.set(key, index);
    if (this.protocol >= 4) this.bytes(0x94);
    else if (index < 256) this.bytes(0x71, index);
    else this.u32(0x72, index);
  }

  /** Refers to a value written before; false if it was not. */
  protected get(key: unknown): boolean {
    const index = this.memo.get(key);
    if (index === undefined) return false;
    if (index < 256) this.bytes(0x68, index);
    else this.u32(0x6a, index);
    return true;
  }

  /** Whether a value was written before. */
  protected has(key: unknown): boolean {
    return this.memo.has(key);
  }

  // ---- Names, numbers, strings

  /** A class or function by its module and name in Python 3. */
  protected global(module: string, name: string): void {
    const full = `${module} ${name}`;
    const known = this.globals.get(full) ?? {};
    this.globals.set(full, known);
    if (this.get(known)) return;
    if (this.protocol >= 4) {
      this.string(module);
      this.string(name);
      this.bytes(0x93);
    } else {
      const old = NAMES_OF_PYTHON_2.get(full) ?? full.replace(/^builtins /, '__builtin__ ');
      this.bytes(0x63);
      this.raw(encodeUtf8(`${this.protocol === 2 ? old : full}\n`.replace(' ', '\n')));
    }
    this.put(known);
  }

  /** A global by its full name, as `'torch.nn.modules.linear.Linear'`. */
  protected fullName(name: string): void {
    const dot = name.lastIndexOf('.');
    this.global(name.slice(0, dot), name.slice(dot + 1));
  }

  protected boolean(value: boolean): void {
    this.bytes(value ? OP.true : OP.false);
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

  protected string(value: string): void {
    if (this.get(value)) return;
    this.unicode(encodeUtf8(value));
    this.put(value);
  }

  private unicode(bytes: Uint8Array): void {
    this.sized(bytes, this.protocol >= 4 ? 0x8c : null, 0x58);
  }

  /** Bytes behind their length: in one byte where there is an opcode for it, else in four. */
  private sized(bytes: Uint8Array, short: number | null, long: number): void {
    if (bytes.length >= MAX_LENGTH) throw new RuntimeError('save(): a string or byte array of 4 GiB or more');
    if (short !== null && bytes.length < 256) this.bytes(short, bytes.length);
    else this.u32(long, bytes.length);
    this.raw(bytes);
  }

  /** Python's bytes or bytearray. Protocol 2 has neither and encodes a string; protocol 5 has both. */
  protected byteString(value: Uint8Array, mutable: boolean): void {
    if (this.protocol >= 5 && mutable) {
      this.bytes(0x96);
      const at = this.room(8);
      this.view.setBigUint64(at, BigInt(value.length), true);
      this.raw(value);
    } else if (this.protocol === 2) {
      this.global(mutable ? 'builtins' : '_codecs', mutable ? 'bytearray' : 'encode');
      this.unicode(encodeUtf8(latin1(value)));
      this.string('latin1');
      this.bytes(0x86, OP.reduce);
    } else {
      if (mutable) this.global('builtins', 'bytearray');
      this.sized(value, 0x43, 0x42);
      if (mutable) this.bytes(0x85, OP.reduce);
    }
    this.put(value);
  }

  // ---- Tuples

  /** Where a tuple of more than three items starts. */
  protected openTuple(length: number): void {
    if (length > 3) this.bytes(OP.mark);
  }

  protected closeTuple(length: number): void {
    this.bytes(length === 0 ? OP.emptyTuple : length <= 3 ? 0x84 + length : OP.tuple);
  }

  /** A tuple of numbers: sizes, strides. */
  protected numbers(values: readonly number[]): void {
    this.openTuple(values.length);
    for (const value of values) this.number(value);
    this.closeTuple(values.length);
  }

  protected emptyOrderedDict(): void {
    this.global('collections', 'OrderedDict');
    this.bytes(OP.emptyTuple, OP.reduce);
  }
}
