// A pickle of a few bytes can ask for a copy of a large container, again and again: what it takes beyond reading each byte
// once is counted, and has a bound that grows with the file. What Python writes copies each container at most once.
import { RuntimeError } from '../core/errors.js';
import { PyDict } from './nodes.js';

/** Steps (items or bytes copied) for a byte of the pickle, for any pickle, and for a call. */
const PER_BYTE = 4;
const FLOOR = 1 << 16;
const CALL = 8;
/** How much less an item of a state counts. */
const SHARED = 4;

/** The items, characters or bytes that a copy of a value has. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value === null || typeof value !== 'object') return 0;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  if (value instanceof PyDict) return value.map.size;
  return value instanceof Map || value instanceof Set ? value.size : 0;
}

/** Counts the work that a pickle asks for. */
export class PickleBudget {
  private left: number;
  /** Integers beyond 64 bits by their lowest 64. */
  private readonly wide = new Map<string, Set<string>>();

  /** @param bytes the size of the pickle. */
  constructor(bytes: number) {
    this.left = FLOOR + PER_BYTE * bytes;
  }

  /** @throws RuntimeError when the pickle has asked for too much. */
  charge(steps: number): void {
    this.left -= steps;
    if (this.left < 0) throw new RuntimeError('the pickle asks for far more work than its size accounts for');
  }

  /** Charges for arguments that a function may copy: their items, characters or bytes. */
  call(args: readonly unknown[]): void {
    this.charge(CALL + args.length);
    for (const arg of args) this.charge(sizeOf(arg));
  }

  /**
   * Charges for a state that becomes an object's attributes, and for the dicts in it, which modules copy. Objects may share
   * what lies in their states: each copy counts for less than one that a call makes.
   */
  state(state: unknown): void {
    const parts = Array.isArray(state) ? (state as unknown[]) : [state];
    let steps = CALL + parts.length;
    for (const part of parts) {
      if (!(part instanceof PyDict)) continue;
      steps += part.map.size;
      for (const item of part.map.values()) if (typeof item !== 'string') steps += sizeOf(item);
    }
    this.charge(steps / SHARED);
  }

  /**
   * The engine's hash of a bigint is its lowest 64 bits: as keys, larger ones that agree there are compared with each other.
   */
  integer(value: number | bigint): number | bigint {
    if (typeof value !== 'bigint' || BigInt.asIntN(65, value) === value) return value;
    const digits = (value < 0n ? -value : value).toString(16);
    const low = digits.slice(-16);
    let alike = this.wide.get(low);
    if (!alike) this.wide.set(low, (alike = new Set()));
    if (!alike.has(digits)) this.charge(alike.add(digits).size);
    return value;
  }
}
