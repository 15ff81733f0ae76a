// Activations. Each gradient is one native pass; that pass is itself recorded, with the second derivative composed.
import { needsGrad } from '../autograd/graph.js';
import { uint8 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { type Tensor, wrapDim } from '../tensor/tensor.js';
import { add, div, mul, sub } from './arithmetic.js';
import { gt, le } from './comparison.js';
import { op } from './define.js';
import { type Unary, type Binary, binary, pointwise1, pointwise1_, unary, withInPlace } from './rows.js';
import { abs, exp, neg, square } from './unary.js';
import { type Params, type Pass, pass, passes, reluPass } from './internal/gradient_pass.js';
import { select3 as where } from './internal/select.js';
import { checkFloating } from './internal/type_names.js';

const tanhPass = pass('tanh_backward', [], (y) => mul(y, -2));
/** The hyperbolic tangent, elementwise, in (-1, 1); integers and bool give the default float type. */
export const tanh: Unary = unary('tanh', (g, _x, y) => tanhPass(g, y), { saves: 'y' });
const sigmoidPass = pass('sigmoid_backward', [], (y) => sub(1, mul(y, 2)));
/** The logistic function 1 / (1 + exp(-x)), elementwise, in (0, 1); integers and bool give the default float type. */
export const sigmoid: Unary = unary('sigmoid', (g, _x, y) => sigmoidPass(g, y), { saves: 'y' });
/** max(x, 0), elementwise; NaN stays. Of real tensors but bool, in their own type; the gradient at 0 is 0. */
export const relu: Unary = unary('relu', (g, _x, y) => reluPass(g, y), { saves: 'y' });

const siluPass = pass('silu_backward', [], (x) => {
  const s = sigmoid(x);
  return mul(mul(s, sub(1, s)), add(mul(x, sub(1, mul(s, 2))), 2));
});
/** x sigmoid(x), elementwise, also called swish (https://arxiv.org/abs/1606.08415); of floating-point or complex tensors. */
export const silu: Unary = unary('silu', (g, x) => siluPass(g, x), { saves: 'x' });

const geluPass = pass('gelu_backward', [], (x) => {
  const squared = square(x);
  return mul(mul(exp(mul(squared, -0.5)), 1 / Math.sqrt(2 * Math.PI)), sub(2, squared));
});
const TANH_SCALE = Math.sqrt(2 / Math.PI);
const TANH_CUBIC = 0.044715;
const geluTanhPass = pass('gelu_tanh_backward', [], (x) => {
  // u = k (x + c x^3), t = tanh u: f'' = (1 - t^2) u' + x (1 - t^2) (u'' / 2 - t u'^2)
  const squared = square(x);
  const t = tanh(mul(add(x, mul(mul(squared, x), TANH_CUBIC)), TANH_SCALE));
  const slope = mul(add(mul(squared, 3 * TANH_CUBIC), 1), TANH_SCALE);
  const bend = mul(x, 3 * TANH_SCALE * TANH_CUBIC);
  return mul(sub(1, square(t)), add(slope, mul(x, sub(bend, mul(t, square(slope))))));
});
const GELU = nativeOp('gelu');
const GELU_TANH = nativeOp('gelu_tanh');
/**
 * The Gaussian error linear unit x Phi(x), elementwise (https://arxiv.org/abs/1606.08415), Phi being the normal distribution
 * function (1 + erf(x / sqrt(2))) / 2.
 * @param input floating point, any shape
 * @param approximate 'none', or 'tanh' for x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 (default 'none')
 * @returns input's shape and type
 * @throws RuntimeError if `approximate` is something else, or input is not of a floating-point type
 */
export const gelu = op("gelu(Tensor input, str approximate='none')", (input: Tensor, approximate: string): Tensor => {
  if (approximate === 'none') return pointwise1(GELU, 'GeluBackward0', input, [], 'x', geluPass);
  if (approximate === 'tanh') return pointwise1(GELU_TANH, 'GeluBackward0', input, [], 'x', geluTanhPass);
  throw new RuntimeError('approximate argument must be either none or tanh.');
});
const mishPass = pass('mish_backward', [], (x) => {
  // f = x w with w = tanh(softplus x): f'' = 2 w' + x w''
  const w = tanh(softplus(x));
  const s = sigmoid(x);
  const slope = mul(sub(1, square(w)), s);
  const bend = mul(slope, sub(sub(1, s), mul(mul(w, s), 2)));
  return add(mul(slope, 2), mul(x, bend));
});
/** x tanh(log(1 + exp(x))), elementwise (https://arxiv.org/abs/1908.08681); of floating-point tensors. */
export const mish: Unary = unary('mish', (g, x) => mishPass(g, x), { saves: 'x' });

/** A row with parameters: runs it on a tensor, or in place. */
type Parametric = (
  input: Tensor,
  params: Params,
  saves: 'x' | 'y',
  gradient: (params: Params) => Pass,
  gradientParams?: Params,
) => Tensor;

/** Declares a row with parameters; the gradient pass for a call's parameters is made only where one will be needed. */
function parametric(native: string, node: string, inPlace = false): Parametric {
  const id = nativeOp(inPlace ? `${native}_` : native);
  const run = inPlace ? pointwise1_ : pointwise1;
  return (input, params, saves, gradient, gradientParams = params) => {
    if (!needsGrad(input)) return run(id, node, input, params, saves, none);
    const made = gradient(gradientParams);
    return run(id, node, input, params, saves, saves === 'x' ? made : (g, _x, y) => made(g, y));
  };
}
function none(g: Tensor): Tensor {
  return g; // never called: nothing is recorded
}

const SOFTPLUS = parametric('softplus', 'SoftplusBackward0');
const softplusPasses = passes('softplus_backward', (x, [beta, threshold]) => {
  const s = sigmoid(mul(x, beta!));
  return where(gt(mul(x, beta!), threshold!), 0, mul(mul(s, sub(1, s)), beta!));
});
function softplusOf(input: Tensor, beta: number, threshold: number): Tensor {
  return SOFTPLUS(input, [beta, threshold], 'x', softplusPasses);
}
/**
 * log(1 + exp(beta x)) / beta, elementwise: a smooth max(x, 0). Where beta x exceeds the threshold it is x itself, as it is
 * there up to rounding.
 * @param input floating point, any shape
 * @param beta how sharply it bends at zero (default 1)
 * @param threshold the value of beta x above which x is returned (default 20)
 * @returns input's shape and type
 * @throws RuntimeError if input is not of a floating-point type
 */
export const softplus = op('softplus(Tensor input, float beta=1, float threshold=20)', softplusOf);

const ELU = parametric('elu', 'EluBackward0');
const ELU_ = parametric('elu', 'EluBackward0', true);
const eluPasses = passes('elu_backward', (x, params) => {
  const [alpha, scale, inputScale] = params as readonly number[];
  return where(gt(x, 0), 0, mul(exp(mul(x, inputScale!)), alpha! * scale! * inputScale! * inputScale!));
});
const eluResultPasses = passes('elu_backward_from_result', (y, [, , inputScale]) => where(gt(y, 0), 0, inputScale!));
function eluOf(input: Tensor, alpha: number, scale: number, inputScale: number, inPlace: boolean): Tensor {
  if (!inPlace) return ELU(input, [alpha, scale, inputScale], 'x', eluPasses);
  if (alpha < 0 && needsGrad(input)) {
    throw new RuntimeError(
      'In-place elu backward calculation is triggered with a negative slope which is not supported. This is caused by calling in-place forward function with a negative slope, please call out-of-place version instead.',
    );
  }
  return ELU_(input, [alpha, scale, inputScale], 'y', eluResultPasses);
}
/**
 * The exponential linear unit, elementwise: x where it is above 0, else alpha (exp(x) - 1) (https://arxiv.org/abs/1511.07289).
 * @param input floating point, any shape
 * @param alpha what negative x tend to, negated (default 1)
 * @returns input's shape and type
 * @throws RuntimeError if input is not of a floating-point type, and in place if alpha is negative and a gradient is needed
 */
export const elu = withInPlace(
  op('elu(Tensor input, float alpha=1)', (input: Tensor, alpha: number): Tensor => eluOf(input, alpha, 1, 1, false)),
  (self: Tensor, alpha: number): Tensor => eluOf(self, alpha, 1, 1, true),
);
/**
 * The continuously differentiable exponential linear unit, elementwise: x where it is above 0, else
 * alpha (exp(x / alpha) - 1) (https://arxiv.org/abs/1704.07483).
 * @param input floating point, any shape
 * @param alpha what negative x tend to, negated (default 1)
 * @returns input's shape and type
 * @throws RuntimeError if alpha is 0, or input is not of a floating-point type
 */
export const celu = withInPlace(
  op('celu(Tensor input, float alpha=1)', (input: Tensor, alpha: number): Tensor => celuOf(input, alpha, false)),
  (self: Tensor, alpha: number): Tensor => celuOf(self, alpha, true),
);
function celuOf(x: Tensor, alpha: number, inPlace: boolean): Tensor {
  if (alpha === 0) throw new RuntimeError('ZeroDivisionError: alpha cannot be 0 for CELU');
  return eluOf(x, alpha, 1, 1 / alpha, inPlace);
}
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;
/**
 * The self-normalising linear unit, elementwise: 1.0507 x where x is above 0, else 1.0507 * 1.67326 (exp(x) - 1)
 * (https://arxiv.org/abs/1706.02515); of floating-point tensors.
 */
export const selu = withInPlace(
  op('selu(Tensor input)', (input: Tensor): Tensor => eluOf(input, SELU_ALPHA, SELU_SCALE, 1, false)),
  (self: Tensor): Tensor => eluOf(self, SELU_ALPHA, SELU_SCALE, 1, true),
);

const LEAKY_RELU = parametric('leaky_relu', 'LeakyReluBackward0');
const LEAKY_RELU_ = parametric('leaky_relu', 'LeakyReluBackward0', true);
const leakyReluPasses = passes('leaky_relu_backward', null);
function leakyReluOf(input: Tensor, slope: number, inPlace: boolean): Tensor {
  return (inPlace ? LEAKY_RELU_ : LEAKY_RELU)(input, [slope], inPlace ? 'y' : 'x', leakyReluPasses);
}
/**
 * x where it is above 0, else negativeSlope x; elementwise.
 * @param input floating point, any shape
 * @param negativeSlope the slope below zero (default 0.01)
 * @returns input's shape and type
 * @throws RuntimeError if input is not of a floating-point type
 */
export const leakyRelu = withInPlace(
  op(
    'leakyRelu(Tensor input, float negativeSlope=0.01)',
    (input: Tensor, slope: number): Tensor => leakyReluOf(input, slope, false),
  ),
  (self: Tensor, slope: number): Tensor => leakyReluOf(self, slope, true),
);

const HARDTANH = parametric('hardtanh', 'HardtanhBackward0');
const HARDTANH_ = parametric('hardtanh', 'HardtanhBackward0', true);
const hardtanhPasses = passes('hardtanh_backward', null);
function hardtanhOf(input: Tensor, min: number, max: number, inPlace: boolean): Tensor {
  if (min > max) throw new RuntimeError('min_val cannot be greater than max_val');
  if (input.dtype === uint8 && (min < 0 || max < 0)) {
    throw new RuntimeError('cannot do hardtanh on an unsigned type with negative limits');
  }
  return (inPlace ? HARDTANH_ : HARDTANH)(input, [min, max], 'x', hardtanhPasses);
}
/**
 * x limited to [minVal, maxVal], elementwise; the gradient outside, and at the limits, is 0.
 * @param input floating point or integer, any shape
 * @param minVal the least result (default -1)
 * @param maxVal the largest result (default 1)
 * @returns input's shape and type
 * @throws RuntimeError if minVal exceeds maxVal, or a limit of a uint8 tensor is negative
 */
export const hardtanh = withInPlace(
  op(
    'hardtanh(Tensor input, float minVal=-1, float maxVal=1)',
    (input: Tensor, min: number, max: number): Tensor => hardtanhOf(input, min, max, false),
  ),
  (self: Tensor, min: number, max: number): Tensor => hardtanhOf(self, min, max, true),
);
/** min(max(x, 0), 6), elementwise, of real tensors but bool, in their own type; the gradient outside and at the limits is 0. */
export const relu6 = withInPlace(
  op('relu6(Tensor input)', (input: Tensor): Tensor => hardtanhOf(input, 0, 6, false)),
  (self: Tensor): Tensor => hardtanhOf(self, 0, 6, true),
);

const hardsigmoidPass = pass('hardsigmoid_backward', [], null);
/** min(max(x + 3, 0), 6) / 6, elementwise: sigmoid in three straight pieces; of floating-point tensors. */
export const hardsigmoid: Unary = unary('hardsigmoid', (g, x) => hardsigmoidPass(g, x), { saves: 'x' });
const hardswishPass = pass('hardswish_backward', [], (x) => where(gt(abs(x), 3), 0, 1 / 3));
/** x min(max(x + 3, 0), 6) / 6, elementwise (https://arxiv.org/abs/1905.02244); of floating-point tensors. */
export const hardswish: Unary = unary('hardswish', (g, x) => hardswishPass(g, x), { saves: 'x' });
const logSigmoidPass = pass('log_sigmoid_backward', [], (x) => {
  const s = sigmoid(neg(x));
  return neg(mul(s, sub(1, s)));
});
/** log(sigmoid(x)) = -log(1 + exp(-x)), elementwise, without overflow; of floating-point tensors. */
export const logSigmoid: Unary = unary('logSigmoid', (g, x) => logSigmoidPass(g, x), { saves: 'x' });
export { logSigmoid as logsigmoid };

const HARDSHRINK = parametric('hardshrink', 'HardshrinkBackward0');
const SOFTSHRINK = parametric('softshrink', 'SoftshrinkBackward0');
const shrinkPasses = passes('shrink_backward', null);
/**
 * 0 where |x| is at most lambd, else x; elementwise.
 * @param input floating point, any shape
 * @param lambd half the width of the interval that becomes zero (default 0.5)
 * @returns input's shape and type
 * @throws RuntimeError if input is not of a floating-point type
 */
export const hardshrink = op(
  'hardshrink(Tensor input, float lambd=0.5)',
  (input: Tensor, lambd: number): Tensor => HARDSHRINK(input, [lambd], 'x', shrinkPasses),
);
/**
 * x moved towards 0 by lambd, elementwise: x - lambd above lambd, x + lambd below -lambd, 0 between.
 * @param input floating point, any shape
 * @param lambd how far, at least 0 (default 0.5)
 * @returns input's shape and type
 * @throws RuntimeError if lambd is negative, or input is not of a floating-point type
 */
export const softshrink = op('softshrink(Tensor input, float lambd=0.5)', (input: Tensor, lambd: number): Tensor => {
  if (lambd < 0)
    throw new RuntimeError(
      `lambda must be in range [0, 1.79769e+308] for input dtype ${input.dtype.scalarName}, but found ${lambd}`,
    );
  return SOFTSHRINK(input, [lambd], 'x', shrinkPasses);
});
/** x - tanh(x), elementwise; integers give the default float type. */
export const tanhshrink = op('tanhshrink(Tensor input)', (input: Tensor): Tensor => sub(input, tanh(input)));
/** x / (1 + |x|), elementwise, in (-1, 1); integers give the default float type. */
export const softsign = op('softsign(Tensor input)', (input: Tensor): Tensor => div(input, add(abs(input), 1)));

const THRESHOLD = parametric('threshold', 'ThresholdBackward0');
const THRESHOLD_ = parametric('threshold', 'ThresholdBackward0', true);
const thresholdPasses = passes('threshold_backward', null);
function thresholdOf(input: Tensor, limit: number, value: number, inPlace: boolean): Tensor {
  return (inPlace ? THRESHOLD_ : THRESHOLD)(input, [limit, value], 'x', thresholdPasses, [limit]);
}
/**
 * x where it exceeds the threshold, else `value`; elementwise.
 * @param input a real tensor of any shape
 * @param threshold what x is compared with
 * @param value what takes the place of the others, converted to input's type
 * @returns input's shape and type
 */
export const threshold = withInPlace(
  op(
    'threshold(Tensor input, float threshold, float value)',
    (input: Tensor, limit: number, value: number): Tensor => thresholdOf(input, limit, value, false),
  ),
  (self: Tensor, limit: number, value: number): Tensor => thresholdOf(self, limit, value, true),
);

const PRELU: Binary = binary(
  'prelu',
  [(g, x, w) => where(gt(x, 0), g, mul(w, g)), (g, x) => where(le(x, 0), mul(x, g), 0)],
  { saves: ['ab', 'a'] },
);
/**
 * The parametric rectifier, elementwise: x where it is above 0, else weight x (https://arxiv.org/abs/1502.01852).
 * @param input [N, C, ..], or any shape with a single weight
 * @param weight [C], one number for each channel, or [1] or [] for all; of input's type
 * @returns input's shape and type
 * @throws RuntimeError if the types differ, or the weights are neither one nor as many as the channels
 */
export const prelu = op('prelu(Tensor input, Tensor weight)', (input: Tensor, weight: Tensor): Tensor => {
  if (input.dtype !== weight.dtype) {
    throw new RuntimeError(`prelu: Type promoting not supported. Got ${input.dtype.name} and ${weight.dtype.name}`);
  }
  if (weight.ndim > 1)
    throw new RuntimeError(`prelu: Expected \`weight\` to be a scalar or 1D tensor, but got: ndim = ${weight.ndim}`);
  if (weight.numel() === 1) return PRELU(input, weight.reshape([]));
  if (input.ndim === 0) throw new RuntimeError('Not allow zero-dim input tensor.');
  const channels = input.ndim > 1 ? input.shape[1]! : 1;
  if (channels !== weight.numel()) {
    throw new RuntimeError(
      `Mismatch of parameter numbers and input channel size. Found parameter numbers = ${weight.numel()} and channel size = ${channels}.`,
    );
  }
  return PRELU(input, weight.reshape([1, -1, ...new Array<number>(input.ndim - 2).fill(1)]));
});
/**
 * The gated linear unit a sigmoid(b) of the halves a, b of a dimension (https://arxiv.org/abs/1612.08083).
 * @param input at least one dimension
 * @param dim the dimension to halve, of even size (default -1)
 * @returns input's shape with half the size in `dim`
 * @throws RuntimeError if the size is odd, or input has no dimensions or is not of a floating-point type
 * @throws RangeError if `dim` is out of range
 */
export const glu = op('glu(Tensor input, int dim=-1)', (input: Tensor, dim: number): Tensor => {
  if (input.ndim === 0) throw new RuntimeError('glu does not support scalars because halving size must be even');
  const n = input.size(dim);
  if (n % 2 !== 0)
    throw new RuntimeError(`Halving dimension must be even, but dimension ${wrapDim(dim, input.ndim)} is size ${n}`);
  checkFloating('glu_cpu', input);
  return mul(input.narrow(dim, 0, n / 2), sigmoid(input.narrow(dim, n / 2, n / 2)));
});
