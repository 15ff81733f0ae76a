// Programs that state what PyTorch does, and what PyTorch answered to them (scripts/record_semantics.py).
import { readFileSync } from 'node:fs';
import path from 'node:path';
import torch, { type DType, type Tensor } from 'flambeau';

/** A recorded tensor; infinite values and NaN are text, complex numbers pairs. */
interface Flat {
  dtype: string;
  shape: number[];
  values: (number | boolean | string)[];
}

/** A program gives its answers by the names that the recording has. */
type Program = () => Record<string, unknown>;

function isFlat(value: unknown): value is Flat {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'values' in value;
}

function plainNumber(x: number | bigint | boolean): number | boolean | string {
  const value = typeof x === 'bigint' ? Number(x) : x;
  if (typeof value === 'boolean' || Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

function flat(t: Tensor): Flat {
  const real = t.isComplex() ? torch.viewAsReal(t.detach()) : t.detach();
  const wide = real.dtype.isFloatingPoint ? real.to(torch.float64) : real;
  const values = Array.from(wide.contiguous().toTypedArray() as ArrayLike<number | bigint>, plainNumber);
  return {
    dtype: t.dtype.name,
    shape: [...t.shape],
    values: t.dtype === torch.bool ? values.map((x) => x === 1) : values,
  };
}

/** The answer in its recorded form. */
function plain(value: unknown): unknown {
  if (value instanceof torch.Tensor) return flat(value);
  if (Array.isArray(value)) return Array.from(value, plain);
  if (typeof value === 'number') return plainNumber(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
}

/** Replaces numbers that are near the recorded ones by these, so that one comparison shows all that differs. */
function settle(found: unknown, want: unknown, tolerance: number): unknown {
  if (typeof found === 'number' && typeof want === 'number') {
    return Math.abs(found - want) <= tolerance * (1 + Math.abs(want)) ? want : found;
  }
  if (Array.isArray(found) && Array.isArray(want)) return found.map((x, i) => settle(x, want[i], tolerance));
  if (isFlat(found) && isFlat(want)) {
    const near = /16$/.test(want.dtype) && want.dtype !== 'int16' ? 2e-3 : tolerance;
    return { ...found, values: settle(found.values, want.values, near) };
  }
  if (typeof found === 'object' && found !== null && typeof want === 'object' && want !== null) {
    return Object.fromEntries(
      Object.entries(found).map(([k, v]) => [k, settle(v, (want as Record<string, unknown>)[k], tolerance)]),
    );
  }
  return found;
}

/** Runs each program and compares its answers with the recorded ones of the topic; neither side may have more. */
export function programs(topic: string, table: Record<string, Program>, tolerance = 1e-5): void {
  const file = path.join(__dirname, '..', 'fixtures', 'semantics', `${topic}.json`);
  const recorded = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;

  describe(topic, () => {
    test('every recorded program stands here', () => {
      expect(Object.keys(table)).toEqual(Object.keys(recorded));
    });
    test.each(Object.keys(table))('%s', (name) => {
      torch.manualSeed(0);
      const want = recorded[name];
      expect(settle(plain(table[name]!()), want, tolerance)).toEqual(want);
    });
  });
}

/** The class of error that a call throws, null if it does not. */
export function kind(fn: () => unknown): string | null {
  return error(fn)?.type ?? null;
}

/** Class and message of the error that a call throws, null if it does not. */
export function error(fn: () => unknown): { type: string; message: string } | null {
  try {
    fn();
  } catch (thrown) {
    const { constructor, message } = thrown as Error;
    return { type: constructor.name, message };
  }
  return null;
}

/** A leaf that requires a gradient. */
export function leaf(values: unknown, dtype: DType = torch.float32): Tensor {
  return torch.tensor(values as number[], { dtype, requiresGrad: true });
}

/** A float32 tensor. */
export function floats(...values: number[]): Tensor {
  return torch.tensor(values);
}
