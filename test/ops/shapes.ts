// Random shapes and values, the same in every run.
import type { Tensor } from 'flambeau';
import { LAYOUTS } from './layouts';
import { fromValues, randomSource } from './support';

export class Draw {
  private readonly next: () => number;
  constructor(seed: number) {
    this.next = randomSource(seed);
  }
  /** A whole number from low to high, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }
  pick<T>(list: readonly T[]): T {
    return list[this.whole(0, list.length - 1)]!;
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
  list(n: number, low: number, high: number): number[] {
    return Array.from({ length: n }, () => this.whole(low, high));
  }
  /** n multiples of 1/64 in [-2, 2): sums of their products are exact in float64. */
  values(n: number): number[] {
    return Array.from({ length: n }, () => this.whole(-128, 127) / 64);
  }
  /** Half of the time the tensor itself, else the same on another layout. */
  layout(t: Tensor): Tensor {
    return this.chance(0.5) ? t : this.pick(LAYOUTS)[1](t);
  }
  tensor(values: readonly number[], shape: readonly number[], type: string): Tensor {
    return this.layout(fromValues(values, shape, type));
  }
}

/** The types of the fast kernels, and how far a sum of n terms up to `largest` may be off in each. */
export const TOLERANCES: readonly (readonly [type: string, relative: number])[] = [
  ['float64', 1e-13],
  ['float32', 2e-5],
];
