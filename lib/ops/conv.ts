// Convolutions over one to three spatial dimensions, and their transposes.
import { bfloat16 } from '../core/dtype.js';
import { inWords, RuntimeError } from '../core/errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { add, sub } from './arithmetic.js';
import { complex, imag, real } from './complex.js';
import { fnOp } from './define.js';
import { byInput, forward, type Geometry } from './internal/conv.js';
import { checkedName, cppName } from './internal/type_names.js';

/** PyTorch's words, which tell which of its kernels would have looked. */
function checkTypes(x: Tensor, w: Tensor, bias: Tensor | null): void {
  if (bias !== null && bias.dtype !== x.dtype)
    throw new RuntimeError(
      `Input type (${cppName(x.dtype)}) and bias type (${cppName(bias.dtype)}) should be the same`,
    );
  if (x.dtype === w.dtype) return;
  if (!x.dtype.isComplex && x.dtype !== bfloat16)
    throw new RuntimeError(`expected scalar type ${x.dtype.scalarName} but found ${w.dtype.scalarName}`);
  const others = x.dtype === bfloat16 ? ' or input should be a MKLDNN tensor and weight is a dense tensor' : '';
  throw new RuntimeError(
    `Input type (${checkedName(x.dtype)}) and weight type (${checkedName(w.dtype)}) should be the same${others}`,
  );
}

/** A convolution of complex tensors from those of their parts: (a + bi) * (c + di). */
function byParts(
  x: Tensor,
  w: Tensor,
  bias: Tensor | null,
  run: (x: Tensor, w: Tensor, bias: Tensor | null) => Tensor,
): Tensor {
  if (!x.dtype.isComplex && !w.dtype.isComplex) return run(x, w, bias);
  const [a, b, c, d] = [real(x), imag(x), real(w), imag(w)];
  const re = sub(run(a, c, bias === null ? null : real(bias)), run(b, d, null));
  return complex(re, add(run(a, d, bias === null ? null : imag(bias)), run(b, c, null)));
}

function perDim(name: string, what: string, v: readonly number[], nd: number): readonly number[] {
  if (v.length === nd) return v;
  if (v.length === 1) return new Array<number>(nd).fill(v[0]!);
  throw new RuntimeError(
    `${name}: expected ${what} to be a single integer value or a list of ${nd} values, but got ${what}=[${v.join(', ')}]`,
  );
}
function batched(name: string, input: Tensor, nd: number, run: (x: Tensor) => Tensor): Tensor {
  if (input.ndim === nd + 2) return run(input);
  if (input.ndim === nd + 1) return run(input.unsqueeze(0)).squeeze(0);
  throw new RuntimeError(
    `Expected ${nd + 1}D (unbatched) or ${nd + 2}D (batched) input to ${name}, but got input of size: [${input.shape.join(', ')}]`,
  );
}
/** 'same' pads so that the output has the input's size; an odd total puts the extra element at the end. */
function samePadding(
  input: Tensor,
  w: Tensor,
  dilation: readonly number[],
  nd: number,
): { x: Tensor; padding: number[] } {
  const total = dilation.map((d, i) => d * (w.shape[i + 2]! - 1));
  if (total.every((p) => p % 2 === 0)) return { x: input, padding: total.map((p) => p / 2) };
  const shape = input.shape.map((n, i) => (i < input.ndim - nd ? n : n + (total[i - input.ndim + nd]! % 2)));
  const x = input.newZeros(shape);
  let inner = x;
  input.shape.forEach((n, d) => {
    inner = inner.narrow(d, 0, n);
  });
  inner.copy_(input);
  return { x, padding: total.map((p) => Math.floor(p / 2)) };
}

const conv = (nd: number) =>
  fnOp(
    `conv${nd}d(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, any padding=0, int[] dilation=1, int groups=1)` as 'conv(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, any padding=0, int[] dilation=1, int groups=1)',
    (
      input: Tensor,
      weight: Tensor,
      bias: Tensor | null,
      stride: readonly number[],
      padding: readonly number[] | number | 'valid' | 'same',
      dilation: readonly number[],
      groups: number,
    ): Tensor => {
      const name = `conv${nd}d`;
      checkTypes(input, weight, bias);
      if (weight.ndim !== nd + 2) {
        throw new RuntimeError(
          `expected weight to be at least 1 at dimension 0, but got weight of size [${weight.shape.join(', ')}] for ${name}`,
        );
      }
      return batched(name, input, nd, (given) => {
        const at: Geometry = {
          stride: perDim(name, 'stride', list(stride), nd),
          padding: [0],
          dilation: perDim(name, 'dilation', list(dilation), nd),
          groups,
        };
        let x = given;
        if (padding === 'same') {
          if (at.stride.some((s) => s !== 1))
            throw new RuntimeError("padding='same' is not supported for strided convolutions");
          ({ x, padding: at.padding } = samePadding(x, weight, at.dilation, nd));
        } else if (padding === 'valid') at.padding = perDim(name, 'padding', [0], nd);
        else if (typeof padding === 'string') throw new RuntimeError(`Invalid padding string: '${String(padding)}'`);
        else at.padding = perDim(name, 'padding', list(padding), nd);
        return byParts(x, weight, bias, (a, b, c) => forward(a, b, c, at));
      });
    },
  );
/** A list of integers, or one integer as a list. */
function list(v: readonly number[] | number): readonly number[] {
  const values = typeof v === 'number' ? [v] : v;
  if (!Array.isArray(values) || !values.every((n) => Number.isInteger(n)))
    throw new TypeError(`expected integers, got ${inWords(v)}`);
  return values;
}
/**
 * Convolution (cross-correlation, as usual in networks) over one spatial dimension:
 * out[n, o, i] = bias[o] + sum over c, k of weight[o, c, k] input[n, c, stride i + dilation k - padding], 0 outside of input.
 * @param input [N, C, L], or [C, L] without a batch
 * @param weight [O, C / groups, K], of input's type
 * @param bias [O], or null for none (default null)
 * @param stride the distance of neighbouring places, at least 1 (default 1)
 * @param padding how many zeros are thought at each end; 'valid' for none, 'same' for as many as keep the size (default 0)
 * @param dilation the distance between a kernel's elements (default 1)
 * @param groups into how many parts channels are divided, each with weights of its own (default 1)
 * @returns [N, O, floor((L + 2 padding - dilation (K - 1) - 1) / stride) + 1], without N if input has none
 * @throws RuntimeError if shapes or types do not fit, the kernel exceeds the padded input, 'same' meets a stride, or a
 *   setting is not positive (padding: negative)
 * @throws TypeError if `padding` is neither such a string nor integers
 */
export const conv1d = conv(1);
/**
 * Convolution over two spatial dimensions; stride, padding and dilation are one number or one for each of them.
 * @param input [N, C, H, W] or [C, H, W]
 * @param weight [O, C / groups, KH, KW]
 * @returns [N, O, H', W'], each size as in `conv1d`, which has the other arguments, their defaults and the errors
 */
export const conv2d = conv(2);
/**
 * Convolution over three spatial dimensions; stride, padding and dilation are one number or one for each of them.
 * @param input [N, C, D, H, W] or [C, D, H, W]
 * @param weight [O, C / groups, KD, KH, KW]
 * @returns [N, O, D', H', W'], each size as in `conv1d`, which has the other arguments, their defaults and the errors
 */
export const conv3d = conv(3);

const convTranspose = (nd: number) =>
  fnOp(
    `convTranspose${nd}d(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, int[] padding=0, int[] outputPadding=0, int groups=1, int[] dilation=1)` as 'conv(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, int[] padding=0, int[] outputPadding=0, int groups=1, int[] dilation=1)',
    (
      input: Tensor,
      weight: Tensor,
      bias: Tensor | null,
      stride: readonly number[],
      padding: readonly number[],
      outputPadding: readonly number[],
      groups: number,
      dilation: readonly number[],
    ): Tensor => {
      const name = `conv_transpose${nd}d`;
      checkTypes(input, weight, null);
      if (weight.ndim !== nd + 2)
        throw new RuntimeError(`${name}: expected a weight of ${nd + 2} dimensions, got [${weight.shape.join(', ')}]`);
      return batched(name, input, nd, (x) => {
        const at: Geometry = {
          stride: perDim(name, 'stride', stride, nd),
          padding: perDim(name, 'padding', padding, nd),
          dilation: perDim(name, 'dilation', dilation, nd),
          groups,
        };
        const extra = perDim(name, 'output_padding', outputPadding, nd);
        if (x.shape[1] !== weight.shape[0]) {
          throw new RuntimeError(
            `Given transposed=1, weight of size [${weight.shape.join(', ')}], expected input[${x.shape.join(', ')}] to have ${weight.shape[0]} channels, but got ${x.shape[1]} channels instead`,
          );
        }
        const sizes = at.stride.map(
          (s, i) =>
            (x.shape[i + 2]! - 1) * s -
            2 * at.padding[i]! +
            at.dilation[i]! * (weight.shape[i + 2]! - 1) +
            extra[i]! +
            1,
        );
        extra.forEach((e, i) => {
          if (e >= at.stride[i]! && e >= at.dilation[i]!) {
            throw new RuntimeError(
              `output padding must be smaller than either stride or dilation, but got output_padding: ${e}, stride: ${at.stride[i]}, dilation: ${at.dilation[i]}`,
            );
          }
        });
        if (sizes.some((n) => n < 0))
          throw new RuntimeError(`${name}: the output would have negative sizes [${sizes.join(', ')}]`);
        const shape = [x.shape[0]!, weight.shape[1]! * groups, ...sizes];
        return byParts(x, weight, bias, (a, b, c) => byInput(a, b, shape, c, at));
      });
    },
  );
/**
 * The transposed convolution over one spatial dimension, which spreads each input element over the places that a `conv1d`
 * of the same settings would read for it: that convolution's gradient by its input, as a layer.
 * @param input [N, C, L], or [C, L] without a batch
 * @param weight [C, O / groups, K], of input's type
 * @param bias [O], or null for none (default null)
 * @param stride the distance in the output of neighbouring input elements (default 1)
 * @param padding how many places are cut off at each end of the output (default 0)
 * @param outputPadding how many places the output has more at its end, below stride or dilation (default 0)
 * @param groups into how many parts channels are divided (default 1)
 * @param dilation the distance between a kernel's elements (default 1)
 * @returns [N, O, (L - 1) stride - 2 padding + dilation (K - 1) + outputPadding + 1], without N if input has none
 * @throws RuntimeError if shapes or types do not fit, or a setting is out of its range
 */
export const convTranspose1d = convTranspose(1);
/**
 * The transposed convolution over two spatial dimensions; settings are one number or one for each of them.
 * @param input [N, C, H, W] or [C, H, W]
 * @param weight [C, O / groups, KH, KW]
 * @returns [N, O, H', W'], each size as in `convTranspose1d`, which has the other arguments and the errors
 */
export const convTranspose2d = convTranspose(2);
/**
 * The transposed convolution over three spatial dimensions; settings are one number or one for each of them.
 * @param input [N, C, D, H, W] or [C, D, H, W]
 * @param weight [C, O / groups, KD, KH, KW]
 * @returns [N, O, D', H', W'], each size as in `convTranspose1d`, which has the other arguments and the errors
 */
export const convTranspose3d = convTranspose(3);
