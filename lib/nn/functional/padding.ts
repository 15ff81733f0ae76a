// Padding: at the ends of the last dimensions, two numbers for each, the last dimension first.
import { tableOf } from '../../core/table.js';
import { needsGrad, record } from '../../autograd/graph.js';
import { unrecorded } from '../../autograd/mode.js';
import { RuntimeError } from '../../core/errors.js';
import { clone } from '../../ops/convert.js';
import { fnOp } from '../../ops/define.js';
import { indexSelect } from '../../ops/index_along.js';
import { cat } from '../../ops/join.js';
import { fromNested } from '../../ops/nested.js';
import { int64 } from '../../core/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { sliceDim } from '../../ops/internal/view.js';

/** The part of a tensor that padding keeps: negative numbers cut away. */
function cropped(input: Tensor, pads: readonly number[]): Tensor {
  let x = input;
  for (let i = 0; i * 2 < pads.length; i++) {
    const d = input.ndim - 1 - i;
    const start = Math.max(0, -pads[2 * i]!);
    const stop = input.shape[d]! - Math.max(0, -pads[2 * i + 1]!);
    if (start > 0 || stop < input.shape[d]!) x = sliceDim(x, d, start, Math.max(start, stop), 1);
  }
  return x;
}

/** A tensor of `value` with x in it, or what is left of x. */
function framed(x: Tensor, pads: readonly number[], shape: readonly number[], value: number): Tensor {
  const whole = x.newFull([...shape], value);
  let inner = whole;
  for (let i = 0; i < pads.length / 2; i++) {
    const d = x.ndim - 1 - i;
    const start = Math.max(0, pads[2 * i]!);
    const stop = shape[d]! - Math.max(0, pads[2 * i + 1]!);
    inner = sliceDim(inner, d, start, Math.max(start, stop), 1);
  }
  inner.copy_(cropped(x, pads));
  return whole;
}

/** Padding with a value; a gradient is padded the other way round. */
export function padConstant(input: Tensor, pads: readonly number[], value: number): Tensor {
  const count = pads.length / 2;
  const nd = input.ndim;
  if (count > nd) {
    throw new RuntimeError(
      `Length of pad should be no more than twice the number of dimensions of the input. Pad length is ${pads.length} while the input has ${nd} dimensions.`,
    );
  }
  const shape = input.shape.map((n, d) => {
    const i = nd - 1 - d;
    if (i >= count) return n;
    const size = n + pads[2 * i]! + pads[2 * i + 1]!;
    if (size < 0) {
      throw new RuntimeError(
        `The input size ${n}, plus negative padding ${pads[2 * i]} and ${pads[2 * i + 1]} resulted in a negative output size, which is invalid. Check dimension ${d} of your input.`,
      );
    }
    return size;
  });
  const y = unrecorded(framed, input.detach(), pads, shape, value);
  if (needsGrad(input)) {
    record('ConstantPadNdBackward0', y, [input], [], (g) => [
      padConstant(
        g,
        pads.map((n) => -n),
        0,
      ),
    ]);
  }
  return y;
}

type Place = (at: number, size: number) => number;
/** Which element stands at a position outside of a dimension. */
const PLACES: Record<'reflect' | 'replicate', Place> = tableOf({
  reflect: (at, n) => (at < 0 ? -at : at >= n ? 2 * (n - 1) - at : at),
  replicate: (at, n) => Math.min(Math.max(at, 0), n - 1),
});

function checkPlaces(mode: string, input: Tensor, d: number, left: number, right: number): void {
  const n = input.shape[d]!;
  const show = `[${input.shape.join(', ')}]`;
  if (mode === 'reflect' && (left >= n || right >= n)) {
    throw new RuntimeError(
      `Argument #4: Padding size should be less than the corresponding input dimension, but got: padding (${left}, ${right}) at dimension ${d} of input ${show}`,
    );
  }
  if (n + left + right < 1) {
    throw new RuntimeError(
      `input (size ${n}) is too small for padding (${left}, ${right}): the output size would be ${n + left + right}`,
    );
  }
}

/** Along one dimension: positions outside are taken from inside. */
function padAlong(mode: 'reflect' | 'replicate', input: Tensor, d: number, left: number, right: number): Tensor {
  if (left === 0 && right === 0) return input;
  checkPlaces(mode, input, d, left, right);
  const n = input.shape[d]!;
  const place = PLACES[mode];
  const positions = Array.from({ length: n + left + right }, (_, i) => place(i - left, n));
  return indexSelect.impl(input, d, fromNested(positions, int64));
}

function wrapAlong(input: Tensor, d: number, left: number, right: number): Tensor {
  const n = input.shape[d]!;
  if (left > n || right > n) {
    throw new RuntimeError('Padding value causes wrapping around more than once.');
  }
  if (n + left + right < 0) throw new RuntimeError('Negative padding value is resulting in an empty dimension');
  if (left === 0 && right === 0) return input;
  // What is cut off is not there to be repeated at the other side.
  const kept = left < 0 || right < 0 ? sliceDim(input, d, Math.max(0, -left), n - Math.max(0, -right), 1) : input;
  const m = kept.shape[d]!;
  if (left > m || right > m) throw new RuntimeError('Padding value causes wrapping around more than once.');
  const parts: Tensor[] = [];
  if (left > 0) parts.push(sliceDim(kept, d, m - left, m, 1));
  parts.push(kept);
  if (right > 0) parts.push(sliceDim(kept, d, 0, right, 1));
  return parts.length === 1 ? kept : cat.impl(parts, d);
}

/** `pad` with complete arguments, for layers. */
export function padOf(input: Tensor, pads: readonly number[], mode: string, value: number | null): Tensor {
  if (pads.length % 2 !== 0) throw new RuntimeError('Padding length must be divisible by 2');
  if (pads.length > 2 * input.ndim) {
    throw new RuntimeError(
      `Padding length should be less than or equal to two times the input dimension but got padding length ${pads.length} and input of dimension ${input.ndim}`,
    );
  }
  if (mode === 'constant') return padConstant(input, pads, value ?? 0);
  if (value !== null && value !== 0) throw new RuntimeError(`Padding mode "${mode}" doesn't take in value argument`);
  const nd = pads.length / 2;
  if (
    nd < 1 ||
    nd > 3 ||
    (input.ndim !== nd + 1 && input.ndim !== nd + 2) ||
    (mode === 'circular' && input.ndim !== nd + 2 && input.ndim !== nd + 1)
  ) {
    throw new RuntimeError('Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now');
  }
  if (mode !== 'reflect' && mode !== 'replicate' && mode !== 'circular') {
    throw new RuntimeError(`Unrecognised padding mode ${mode}`);
  }
  // A batch may be empty, the padded planes may not.
  const firstChecked = input.ndim === nd + 2 ? 1 : 0;
  for (let d = firstChecked; d < input.ndim; d++) {
    if (input.shape[d] === 0) {
      throw new RuntimeError(
        `Expected ${nd + 1}D or ${nd + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: [${input.shape.join(', ')}]`,
      );
    }
  }
  let x = input;
  for (let i = 0; i < nd; i++) {
    const d = input.ndim - 1 - i;
    const [left, right] = [pads[2 * i]!, pads[2 * i + 1]!];
    x = mode === 'circular' ? wrapAlong(x, d, left, right) : padAlong(mode, x, d, left, right);
  }
  return x === input ? clone.impl(input, null) : x;
}

/**
 * Pads the last dimensions, or cuts them where a number is negative.
 * @param input any shape; with the modes but 'constant' [N, C, ..] or [C, ..], whose last 1 to 3 dimensions are padded
 * @param pad [left, right, top, bottom, front, back ..]: pairs, the last dimension first
 * @param mode 'constant' (default), 'reflect' (mirrored at the edge, which is not repeated), 'replicate' (the edge repeated) or
 *   'circular' (the opposite side)
 * @param value what 'constant' fills with (default null: 0)
 * @returns input's shape with the sums of the pairs added to its sizes; always new memory
 * @throws RuntimeError for an odd number or too many of pads, an unknown mode, and sizes that do not fit
 */
export const pad = fnOp(
  "pad(Tensor input, int[] pad, str mode='constant', float? value=None)",
  (input: Tensor, pads: readonly number[], mode: string, value: number | null): Tensor =>
    padOf(input, pads, mode, value),
);
