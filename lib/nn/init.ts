// Initial values of parameters. Nothing here is recorded by autograd, and random numbers are drawn in PyTorch's order.
import { noGrad } from '../autograd/mode.js';
import { cpu } from '../core/device.js';
import { float64 } from '../core/dtype.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { fnOp } from '../ops/define.js';
import { empty, emptyLike, erf, randperm, tensor as makeTensor, where } from '../ops/index.js';
import type { Generator } from '../ops/index.js';
import { Tensor } from '../tensor/tensor.js';
import { orthonormalColumns } from './init_qr.js';
import { pyRepr } from './printing.js';
import { warn } from './warn.js';

type Random = Generator | null;
export type FanMode = 'fan_in' | 'fan_out';
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'conv_transpose1d'
  | 'conv_transpose2d'
  | 'conv_transpose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leaky_relu'
  | 'selu';

function uniform(t: Tensor, from: number, to: number, generator: Random): Tensor {
  return noGrad(() => t.uniform_(from, to, { generator }));
}

function normal(t: Tensor, mean: number, std: number, generator: Random): Tensor {
  return noGrad(() => t.normal_(mean, std, { generator }));
}

/**
 * The factor by which a nonlinearity shrinks the spread of its inputs, to be made up for by the weights before it.
 * @param nonlinearity PyTorch's name of it: 'linear', 'sigmoid' and the convolutions 1, 'tanh' 5 / 3, 'relu' sqrt(2),
 *   'leaky_relu' sqrt(2 / (1 + param^2)), 'selu' 3 / 4.
 * @param param the slope of `leaky_relu` (default null: 0.01).
 * @returns the gain
 * @throws RuntimeError for a name that is not known or a slope that is no number; TypeError unless the name is a string.
 */
export function calculateGain(nonlinearity: Nonlinearity, param: number | null = null): number {
  if (typeof nonlinearity !== 'string')
    throw new TypeError(`calculateGain(): argument 'nonlinearity' must be str, not ${kindOf(nonlinearity)}`);
  switch (nonlinearity) {
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'selu':
      // Empirical: keeps self-normalising networks stable with fan_in.
      return 3 / 4;
    case 'leaky_relu':
      if (param !== null && typeof param !== 'number') {
        throw new RuntimeError(`negative_slope ${pyRepr(param)} not a valid number`);
      }
      return Math.sqrt(2 / (1 + (param ?? 0.01) ** 2));
    case 'sigmoid':
    case 'linear':
      return 1;
    default:
      if (/^conv(_transpose)?[123]d$/.test(nonlinearity)) return 1;
      throw new RuntimeError(`Unsupported nonlinearity ${nonlinearity as string}`);
  }
}

/**
 * Fills with numbers from U(a, b), unrecorded, as all functions here.
 * @param tensor any shape, floating-point; it is overwritten
 * @param a the lower bound (default 0)
 * @param b the upper bound (default 1)
 * @param generator where random numbers come from (default null: the default generator)
 * @returns the tensor
 * @throws RuntimeError if a is above b
 */
export const uniform_ = fnOp(
  'uniform_(Tensor tensor, float a=0, float b=1, any generator=None)',
  (tensor: Tensor, a: number, b: number, generator: Random): Tensor => uniform(tensor, a, b, generator),
);

/**
 * Fills with numbers from the normal distribution N(mean, std^2).
 * @param tensor any shape, floating-point or complex; it is overwritten
 * @param mean the mean (default 0)
 * @param std the standard deviation (default 1), not negative
 * @param generator where random numbers come from (default null: the default generator)
 * @returns the tensor
 * @throws RuntimeError for a negative std
 */
export const normal_ = fnOp(
  'normal_(Tensor tensor, float mean=0, float std=1, any generator=None)',
  (tensor: Tensor, mean: number, std: number, generator: Random): Tensor => normal(tensor, mean, std, generator),
);

/**
 * Fills with one value.
 * @param tensor any shape; it is overwritten
 * @param val the value
 * @returns the tensor
 */
export const constant_ = fnOp(
  'constant_(Tensor tensor, float val)',
  (tensor: Tensor, val: number): Tensor => noGrad(() => tensor.fill_(val)),
);

/** Fills a tensor of any shape with ones, and returns it. */
export const ones_ = fnOp('ones_(Tensor tensor)', (tensor: Tensor): Tensor => noGrad(() => tensor.fill_(1)));

/** Fills a tensor of any shape with zeros, and returns it. */
export const zeros_ = fnOp('zeros_(Tensor tensor)', (tensor: Tensor): Tensor => noGrad(() => tensor.zero_()));

/**
 * Makes a matrix the identity: ones on the diagonal, zeros elsewhere.
 * @param tensor [n, m]; it is overwritten
 * @returns the tensor
 * @throws RuntimeError for another number of dimensions
 */
export const eye_ = fnOp('eye_(Tensor tensor)', (tensor: Tensor): Tensor => {
  if (tensor.ndim !== 2) throw new RuntimeError('Only tensors with 2 dimensions are supported');
  return noGrad(() => {
    tensor.zero_();
    tensor.diagonal().fill_(1);
    return tensor;
  });
});

/**
 * Makes a convolution's weight pass its input channels through, as many as there are: zeros but for ones in the middle of the
 * kernel from channel i to channel i, in each group.
 * @param tensor [out, in, ...1 to 3 sizes]; it is overwritten
 * @param groups how many groups the outputs form (default 1)
 * @returns the tensor
 * @throws RuntimeError for another number of dimensions, and if groups does not divide the outputs
 */
export const dirac_ = fnOp('dirac_(Tensor tensor, int groups=1)', (tensor: Tensor, groups: number): Tensor => {
  const [out = 0, , ...kernel] = tensor.shape;
  if (kernel.length < 1 || kernel.length > 3) {
    throw new RuntimeError('Only tensors with 3, 4, or 5 dimensions are supported');
  }
  if (out % groups !== 0) throw new RuntimeError('dim 0 must be divisible by groups');
  const perGroup = out / groups;
  return noGrad(() => {
    tensor.zero_();
    // The middle of the kernel; a step along the diagonal of the first two dimensions passes one channel through.
    let middle = tensor;
    for (const size of kernel) middle = middle.select(2, Math.floor(size / 2));
    for (let g = 0; g < groups; g++)
      middle
        .narrow(0, g * perGroup, perGroup)
        .diagonal()
        .fill_(1);
    return tensor;
  });
});

/**
 * How many inputs feed one output of a weight, and how many outputs one input feeds.
 * @param tensor [out, in, ...kernel]
 * @returns [in times the kernel's volume, out times the kernel's volume]
 * @throws RuntimeError for fewer than 2 dimensions; TypeError for what is no tensor
 */
export function _calculateFanInAndFanOut(tensor: Tensor): [fanIn: number, fanOut: number] {
  if (!(tensor instanceof Tensor))
    throw new TypeError(`_calculateFanInAndFanOut(): argument 'tensor' must be Tensor, not ${kindOf(tensor)}`);
  if (tensor.ndim < 2) {
    throw new RuntimeError('Fan in and fan out can not be computed for tensor with fewer than 2 dimensions');
  }
  const [out, inputs, ...kernel] = tensor.shape as [number, number, ...number[]];
  const field = kernel.reduce((a, b) => a * b, 1);
  return [inputs * field, out * field];
}

function correctFan(tensor: Tensor, mode: string): number {
  const lower = mode.toLowerCase();
  if (lower !== 'fan_in' && lower !== 'fan_out') {
    throw new RuntimeError(`Mode ${lower} not supported, please use one of ['fan_in', 'fan_out']`);
  }
  return _calculateFanInAndFanOut(tensor)[lower === 'fan_in' ? 0 : 1];
}

/**
 * Fills from U(-a, a), a = gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).
 * @param tensor [out, in, ...kernel]; it is overwritten
 * @param gain see `calculateGain` (default 1)
 * @param generator where random numbers come from (default null: the default generator)
 * @returns the tensor
 * @throws RuntimeError for fewer than 2 dimensions
 */
export const xavierUniform_ = fnOp(
  'xavierUniform_(Tensor tensor, float gain=1, any generator=None)',
  (tensor: Tensor, gain: number, generator: Random): Tensor => {
    const [fanIn, fanOut] = _calculateFanInAndFanOut(tensor);
    const bound = Math.sqrt(3) * (gain * Math.sqrt(2 / (fanIn + fanOut)));
    return uniform(tensor, -bound, bound, generator);
  },
);

/**
 * Fills from N(0, std^2), std = gain sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio, 2010).
 * @param tensor [out, in, ...kernel]; it is overwritten
 * @param gain see `calculateGain` (default 1)
 * @param generator where random numbers come from (default null: the default generator)
 * @returns the tensor
 * @throws RuntimeError for fewer than 2 dimensions
 */
export const xavierNormal_ = fnOp(
  'xavierNormal_(Tensor tensor, float gain=1, any generator=None)',
  (tensor: Tensor, gain: number, generator: Random): Tensor => {
    const [fanIn, fanOut] = _calculateFanInAndFanOut(tensor);
    return normal(tensor, 0, gain * Math.sqrt(2 / (fanIn + fanOut)), generator);
  },
);

/** The standard deviation of He et al. (2015): gain / sqrt(fan); null for a tensor without elements. */
function kaimingStd(tensor: Tensor, a: number, mode: string, nonlinearity: string): number | null {
  if (tensor.shape.includes(0)) {
    warn('Initializing zero-element tensors is a no-op');
    return null;
  }
  const fan = correctFan(tensor, mode);
  return calculateGain(nonlinearity as Nonlinearity, a) / Math.sqrt(fan);
}

/**
 * Fills from U(-b, b), b = gain sqrt(3 / fan) (https://arxiv.org/abs/1502.01852), the gain being `calculateGain`'s.
 * @param tensor [out, in, ...kernel]; it is overwritten. Without elements it only warns.
 * @param a the slope of a `leaky_relu` (default 0)
 * @param mode 'fan_in' (default) keeps the spread in forward, 'fan_out' in backward
 * @param nonlinearity what follows the weight (default 'leaky_relu')
 * @param generator where random numbers come from (default null: the default generator)
 * @returns the tensor
 * @throws RuntimeError for fewer than 2 dimensions, another mode and an unknown nonlinearity
 */
export const kaimingUniform_ = fnOp(
  "kaimingUniform_(Tensor tensor, float a=0, str mode='fan_in', str nonlinearity='leaky_relu', any generator=None)",
  (tensor: Tensor, a: number, mode: FanMode, nonlinearity: Nonlinearity, generator: Random): Tensor => {
    const std = kaimingStd(tensor, a, mode, nonlinearity);
    if (std === null) return tensor;
    const bound = Math.sqrt(3) * std;
    return uniform(tensor, -bound, bound, generator);
  },
);

/**
 * Fills from N(0, std^2), std = gain / sqrt(fan) (https://arxiv.org/abs/1502.01852), the gain being `calculateGain`'s.
 * @param tensor [out, in, ...kernel]; it is overwritten. Without elements it only warns.
 * @param a the slope of a `leaky_relu` (default 0)
 * @param mode 'fan_in' (default) keeps the spread in forward, 'fan_out' in backward
 * @param nonlinearity what follows the weight (default 'leaky_relu')
 * @param generator where random numbers come from (default null: the default generator)
 * @returns the tensor
 * @throws RuntimeError for fewer than 2 dimensions, another mode and an unknown nonlinearity
 */
export const kaimingNormal_ = fnOp(
  "kaimingNormal_(Tensor tensor, float a=0, str mode='fan_in', str nonlinearity='leaky_relu', any generator=None)",
  (tensor: Tensor, a: number, mode: FanMode, nonlinearity: Nonlinearity, generator: Random): Tensor => {
    const std = kaimingStd(tensor, a, mode, nonlinearity);
    return std === null ? tensor : normal(tensor, 0, std, generator);
  },
);

/** The probability that a standard normal number is below x. */
function normalCdf(x: number): number {
  return (1 + Number(erf(makeTensor(x / Math.SQRT2, { dtype: float64, device: cpu })).item())) / 2;
}

/** Draws again, for all elements at once, until no element is outside [a, b]. */
function resampleNormal(tensor: Tensor, mean: number, std: number, a: number, b: number, generator: Random): void {
  // The bounds as the tensor's type has them: a number that was rounded to a bound is inside.
  const lo = tensor.newTensor(a).item();
  const hi = tensor.newTensor(b).item();
  let result = tensor.normal_(mean, std, { generator });
  for (;;) {
    const outside = result.lt(Number(lo)).logicalOr(result.gt(Number(hi)));
    if (!outside.any().item()) break;
    result = where(outside, emptyLike(result).normal_(mean, std, { generator }), result);
  }
  if (result !== tensor) tensor.copy_(result);
}

/** Draws uniformly from [a, b] and accepts with the density's share of its peak: for ranges with little of the mass. */
function rejectUniform(tensor: Tensor, mean: number, std: number, a: number, b: number, generator: Random): void {
  const mode = Math.max(a, Math.min(mean, b));
  const logPeak = -0.5 * ((mode - mean) / std) ** 2;
  const rejected = (candidates: Tensor): Tensor => {
    const logDensity = candidates.sub(mean).div_(std).pow_(2).mul_(-0.5).sub_(logPeak);
    return emptyLike(tensor).uniform_(0, 1, { generator }).log_().gt(logDensity);
  };
  let result = tensor.uniform_(a, b, { generator });
  let pending = rejected(result);
  while (pending.any().item()) {
    const candidates = emptyLike(tensor).uniform_(a, b, { generator });
    result = where(pending, candidates, result);
    pending = where(pending, rejected(candidates), pending);
  }
  if (result !== tensor) tensor.copy_(result);
}

/**
 * Fills with numbers from N(mean, std^2) that lie within [a, b].
 * @param tensor any shape, floating-point; it is overwritten
 * @param mean the mean before cutting (default 0)
 * @param std the standard deviation before cutting (default 1)
 * @param a the lower bound (default -2), a value, not a multiple of `std`
 * @param b the upper bound (default 2)
 * @param generator where random numbers come from (default null: the default generator)
 * @returns the tensor
 * @throws RuntimeError for types other than floating-point ones. It warns where mean is more than 2 std outside of [a, b].
 */
export const truncNormal_ = fnOp(
  'truncNormal_(Tensor tensor, float mean=0, float std=1, float a=-2, float b=2, any generator=None)',
  (tensor: Tensor, mean: number, std: number, a: number, b: number, generator: Random): Tensor => {
    if (mean < a - 2 * std || mean > b + 2 * std) {
      warn(
        'mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect.',
      );
    }
    // Complex numbers have no order to cut at; said before the first of them is drawn.
    if (tensor.dtype.isComplex) throw new RuntimeError(`"lt_cpu" not implemented for '${tensor.dtype.scalarName}'`);
    if (tensor.isMeta) return tensor;
    return noGrad(() => {
      const mass = normalCdf((b - mean) / std) - normalCdf((a - mean) / std);
      (mass > 0.3 ? resampleNormal : rejectUniform)(tensor, mean, std, a, b, generator);
      return tensor;
    });
  },
);

/**
 * Fills with a (semi) orthogonal matrix times `gain` (https://arxiv.org/abs/1312.6120): Q of the QR decomposition of normal
 * numbers, with the signs that make it uniformly distributed.
 * @param tensor [n, ...], seen as [n, product of the others]; it is overwritten
 * @param gain what the matrix is multiplied by (default 1)
 * @param generator where random numbers come from (default null: the default generator)
 * @returns the tensor
 * @throws RuntimeError for fewer than 2 dimensions
 */
export const orthogonal_ = fnOp(
  'orthogonal_(Tensor tensor, float gain=1, any generator=None)',
  (tensor: Tensor, gain: number, generator: Random): Tensor => {
    if (tensor.ndim < 2) throw new RuntimeError('Only tensors with 2 or more dimensions are supported');
    if (tensor.isMeta || tensor.numel() === 0) return tensor;
    return noGrad(() => {
      const rows = tensor.shape[0]!;
      const cols = tensor.numel() / rows;
      const drawn = empty([rows, cols], { dtype: tensor.dtype, device: tensor.device }).normal_(0, 1, { generator });
      // The columns of the tall one of the matrix and its transpose lie one after the other.
      const wide = rows < cols;
      const columns = (wide ? drawn : drawn.t()).to(float64).toTypedArray() as Float64Array;
      const q = makeTensor(orthonormalColumns(columns, Math.max(rows, cols), Math.min(rows, cols)), {
        dtype: float64,
        device: cpu,
      });
      const matrix = wide ? q.reshape([rows, cols]) : q.reshape([cols, rows]).t();
      tensor.copy_(matrix.reshape([...tensor.shape]));
      return tensor.mul_(gain);
    });
  },
);

/**
 * Fills a matrix from N(0, std^2) and sets a share of every column to zero, at random places (Martens, 2010).
 * @param tensor [n, m]; it is overwritten
 * @param sparsity the share, rounded up to whole elements
 * @param std the standard deviation of the others (default 0.01)
 * @param generator where the normal numbers come from (default null: the default generator, which the places always come from)
 * @returns the tensor
 * @throws RuntimeError for another number of dimensions and a share that is not finite
 */
export const sparse_ = fnOp(
  'sparse_(Tensor tensor, float sparsity, float std=0.01, any generator=None)',
  (tensor: Tensor, sparsity: number, std: number, generator: Random): Tensor => {
    if (tensor.ndim !== 2) throw new RuntimeError('Only tensors with 2 dimensions are supported');
    const [rows, cols] = tensor.shape as [number, number];
    const asked = Math.ceil(sparsity * rows);
    if (!Number.isFinite(asked)) throw new RuntimeError(`sparse_(): sparsity must be finite, got ${sparsity}`);
    // As a Python slice takes it: a negative number counts from the end.
    const zeros = Math.min(rows, asked < 0 ? Math.max(0, rows + asked) : asked);
    if (tensor.isMeta) return tensor;
    return noGrad(() => {
      tensor.normal_(0, std, { generator });
      // As in PyTorch, the positions come from the default generator.
      for (let col = 0; col < cols; col++)
        tensor.select(1, col).indexFill_(0, randperm(rows, { device: cpu }).narrow(0, 0, zeros), 0);
      return tensor;
    });
  },
);
