// Arithmetic of two operands. Broadcasting of gradients is undone by the engine, so a formula says only the derivative.
import { bool, int16 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { type ComplexNumber, invoke, invokeVoid, type Scalar } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { needsGrad, record } from '../autograd/graph.js';
import { checkInPlace, recordInPlace } from '../autograd/view.js';
import { eq, ge, gt, le, lt } from './comparison.js';
import { complex as complexOf, real } from './complex.js';
import { resultType } from './convert.js';
import { onesLike, zerosLike } from './creation.js';
import { op } from './define.js';
import { type Binary, binary, negated, withInPlace } from './rows.js';
import type { TensorOrScalar } from './signature.js';
import { conj, cos, exp, log, log1p, neg, sign, sin } from './unary.js';
import { cast } from './internal/cast.js';
import { checkParts } from './internal/complex.js';
import { checkFactor } from './internal/factors.js';
import { select3 as where } from './internal/select.js';

const ADD: Binary = binary('add', [(g) => g, (g) => g]);
const SUB: Binary = binary('sub', [(g) => g, (g) => neg(g)]);
const ADD_SCALED = nativeOp('add_scaled');
const ADD_SCALED_ = nativeOp('add_scaled_');

const SUBTRACTS_BOOL =
  'Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.';

function isBool(v: TensorOrScalar): boolean {
  return v instanceof Tensor ? v.dtype === bool : typeof v === 'boolean';
}
/** Whether a factor is the number one, so that it can be left out. */
function isOne(alpha: Scalar): boolean {
  return alpha === 1 || alpha === 1n;
}

/** The product of two numbers, one of them complex. */
function times(a: Scalar, b: Scalar): Scalar {
  const [x, y] = [a, b].map((v) => (typeof v === 'object' ? v : { re: Number(v), im: 0 })) as [
    ComplexNumber,
    ComplexNumber,
  ];
  return { re: x.re * y.re - x.im * y.im, im: x.re * y.im + x.im * y.re };
}
/**
 * alpha b where alpha is complex, for kernels take real factors alone; null where it is real.
 * @throws RuntimeError if the factor is of another kind than the result.
 */
function scaledOperand(a: TensorOrScalar, b: TensorOrScalar, alpha: Scalar): TensorOrScalar | null {
  // What optimizers do at every step needs no second look.
  const fraction = a instanceof Tensor && a.dtype.isFloatingPoint && typeof alpha === 'number';
  if (fraction || Number.isInteger(alpha) || typeof alpha === 'bigint') return null;
  const type = resultType(a, b);
  checkFactor('alpha', alpha, type);
  if (typeof alpha !== 'object') return null;
  if (!type.isComplex)
    throw new RuntimeError('For non-complex input tensors, argument alpha must not be a complex number.');
  return b instanceof Tensor ? mul(b, alpha) : times(b, alpha);
}
function addScaled(name: string, a: TensorOrScalar, b: TensorOrScalar, alpha: Scalar): Tensor {
  const product = scaledOperand(a, b, alpha);
  if (product !== null) return ADD.impl(a, product);
  const y = invoke(ADD_SCALED, a, b, alpha);
  if (needsGrad(a instanceof Tensor ? a : null, b instanceof Tensor ? b : null)) {
    const inputs = [a instanceof Tensor ? a : null, b instanceof Tensor ? b : null];
    record(name, y, inputs, [], (g, _s, needs) => [g, needs[1] ? mul(g, alpha) : null]);
  }
  return y;
}
function addScaled_(name: string, self: Tensor, other: TensorOrScalar, alpha: Scalar): Tensor {
  const product = scaledOperand(self, other, alpha);
  if (product !== null) return ADD.inPlace(self as never, product as never);
  const t = other instanceof Tensor ? other : null;
  const recorded = needsGrad(self, t);
  checkInPlace(self, recorded);
  invokeVoid(ADD_SCALED_, self, other, alpha);
  if (recorded) recordInPlace(name, self, [self, t], [], (g, _s, needs) => [g, needs[1] ? mul(g, alpha) : null]);
  return self;
}

/**
 * input + alpha * other, elementwise. Here and in all ops of two operands shapes broadcast and the result has the type that
 * both promote to; a number raises it only to another kind, as integers to floats. At least one operand is a tensor.
 * @param input a tensor or a number
 * @param other a tensor or a number
 * @param alpha the factor of `other` (default 1)
 * @returns the broadcast shape
 * @throws RuntimeError if shapes do not broadcast or alpha is of another kind than the result, as a fraction for integers; and
 *   in place (`add_`) if the result fits neither self's shape nor its kind
 */
export const add = withInPlace(
  op(
    'add(Tensor|Scalar input, Tensor|Scalar other, Scalar alpha=1)',
    (input: TensorOrScalar, other: TensorOrScalar, alpha: Scalar): Tensor =>
      isOne(alpha) ? ADD.impl(input, other) : addScaled('AddBackward0', input, other, alpha),
  ),
  (self: Tensor, other: TensorOrScalar, alpha: Scalar): Tensor =>
    isOne(alpha) ? ADD.inPlace(self as never, other as never) : addScaled_('AddBackward0', self, other, alpha),
);

/**
 * input - alpha * other, elementwise, alpha being 1 by default; shapes broadcast and types promote as for `add`.
 * @throws RuntimeError for two bool operands, which `logicalXor` is meant for
 */
export const sub = withInPlace(
  op(
    'sub(Tensor|Scalar input, Tensor|Scalar other, Scalar alpha=1)',
    (input: TensorOrScalar, other: TensorOrScalar, alpha: Scalar): Tensor => {
      if (isBool(input) && isBool(other)) throw new RuntimeError(SUBTRACTS_BOOL);
      return isOne(alpha) ? SUB.impl(input, other) : addScaled('SubBackward0', input, other, negated(alpha));
    },
  ),
  (self: Tensor, other: TensorOrScalar, alpha: Scalar): Tensor => {
    if (isBool(self) && isBool(other)) throw new RuntimeError(SUBTRACTS_BOOL);
    return isOne(alpha)
      ? SUB.inPlace(self as never, other as never)
      : addScaled_('SubBackward0', self, other, negated(alpha));
  },
);
export { sub as subtract };
/**
 * other - alpha * input, elementwise: `sub` with its operands exchanged.
 * @param input a tensor
 * @param other a tensor or a number
 * @param alpha the factor of `input` (default 1)
 * @returns the broadcast shape in the promoted type
 * @throws RuntimeError for two bool operands
 */
export const rsub = op(
  'rsub(Tensor input, Tensor|Scalar other, Scalar alpha=1)',
  (input: Tensor, other: TensorOrScalar, alpha: Scalar): Tensor => sub(other, input, { alpha }),
);

/** input * other, elementwise; shapes broadcast and types promote as for `add`. For bools the logical and. */
export const mul: Binary = binary('mul', [(g, _a, b) => timesConj(g, b), (g, a) => timesConj(g, a)], {
  saves: ['b', 'a'],
});
export { mul as multiply };
/** g times the conjugate of an operand that may be a number. */
function timesConj(g: Tensor, v: Tensor): Tensor {
  if (v instanceof Tensor) return mul(g, conj(v));
  const s = v as Scalar;
  return mul(g, typeof s === 'object' ? { re: s.re, im: -s.im } : s);
}
function overConj(g: Tensor, v: Tensor): Tensor {
  if (v instanceof Tensor) return DIV.impl(g, conj(v));
  const s = v as Scalar;
  return DIV.impl(g, typeof s === 'object' ? { re: s.re, im: -s.im } : s);
}

const DIV: Binary = binary(
  'div',
  // The quotient is computed again instead of saved: it may be changed in place, as in PyTorch.
  [(g, _a, b): Tensor => overConj(g, b), (g, a, b): Tensor => neg(mul(g, conj(DIV.impl(DIV.impl(a, b), b))))],
  { saves: ['b', 'ab'] },
);

function roundedDivision(input: TensorOrScalar, other: TensorOrScalar, mode: string): Tensor {
  if (mode === 'floor') return floorDivide(input, other);
  if (mode === 'trunc') return truncDivide(input, other);
  throw new RuntimeError(`div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '${mode}'`);
}

/**
 * input / other, elementwise; shapes broadcast.
 * @param input a tensor or a number
 * @param other a tensor or a number
 * @param roundingMode null for the quotient itself (default), 'trunc' to round it towards zero, 'floor' to round it down
 * @returns the broadcast shape; integers give the default float type unless rounded
 * @throws RuntimeError for another mode, and for integers divided by zero with rounding
 */
export const div = withInPlace(
  op(
    'div(Tensor|Scalar input, Tensor|Scalar other, str? roundingMode=None)',
    (input: TensorOrScalar, other: TensorOrScalar, roundingMode: string | null): Tensor =>
      roundingMode === null ? DIV.impl(input, other) : roundedDivision(input, other, roundingMode),
  ),
  (self: Tensor, other: TensorOrScalar, roundingMode: string | null): Tensor => {
    if (roundingMode === null) return DIV.inPlace(self as never, other as never);
    const rounded = roundingMode === 'floor' ? FLOOR_DIVIDE : TRUNC_DIVIDE;
    if (roundingMode !== 'floor' && roundingMode !== 'trunc') roundedDivision(self, other, roundingMode);
    return rounded.inPlace(self as never, other as never);
  },
);
export { div as divide, div as trueDivide };

const FLOOR_DIVIDE: Binary = binary('floorDivide', [none, none]);
const TRUNC_DIVIDE: Binary = binary('truncDivide', [none, none]);
function none(g: Tensor): Tensor {
  return zerosLike(g);
}
/**
 * floor(input / other), elementwise, in the promoted type; shapes broadcast. Its gradient is zero.
 * @throws RuntimeError for bool and complex operands, and for integers divided by zero
 */
export const floorDivide = withInPlace(
  op(
    'floorDivide(Tensor|Scalar input, Tensor|Scalar other)',
    (input: TensorOrScalar, other: TensorOrScalar): Tensor => {
      return FLOOR_DIVIDE.impl(input, other);
    },
  ),
  (self: Tensor, other: TensorOrScalar): Tensor => {
    return FLOOR_DIVIDE.inPlace(self as never, other as never);
  },
);
function truncDivide(input: TensorOrScalar, other: TensorOrScalar): Tensor {
  return TRUNC_DIVIDE.impl(input, other);
}

const REMAINDER: Binary = binary('remainder', [(g) => g, (g, a, b) => neg(mul(g, FLOOR_DIVIDE.impl(a, b)))], {
  saves: ['', 'ab'],
});
const FMOD: Binary = binary('fmod', [(g) => g, (g, a, b) => neg(mul(g, TRUNC_DIVIDE.impl(a, b)))], {
  saves: ['', 'ab'],
});
/**
 * input - other floor(input / other), elementwise: the remainder with the sign of the divisor. Shapes broadcast.
 * @throws RuntimeError for bool and complex operands, and for integers divided by zero
 */
export const remainder = withInPlace(
  op('remainder(Tensor|Scalar input, Tensor|Scalar other)', (input: TensorOrScalar, other: TensorOrScalar): Tensor => {
    return REMAINDER.impl(input, other);
  }),
  (self: Tensor, other: TensorOrScalar): Tensor => {
    return REMAINDER.inPlace(self as never, other as never);
  },
);
/** input - other trunc(input / other), elementwise: the remainder with the sign of the dividend; else as `remainder`. */
export const fmod = withInPlace(
  op('fmod(Tensor input, Tensor|Scalar other)', (input: Tensor, other: TensorOrScalar): Tensor => {
    return FMOD.impl(input, other);
  }),
  (self: Tensor, other: TensorOrScalar): Tensor => {
    return FMOD.inPlace(self as never, other as never);
  },
);

/** d a^b / da = b a^(b - 1), 0 where b is 0 even at a = 0. */
function powerByBase(g: Tensor, a: Tensor, b: Tensor): Tensor {
  if (!(b instanceof Tensor)) {
    const e = b as Scalar;
    if (typeof e === 'number' && e === 0) return zerosLike(g);
    const less = typeof e === 'object' ? { re: e.re - 1, im: e.im } : typeof e === 'bigint' ? e - 1n : Number(e) - 1;
    return mul(g, conj(mul(pow(a, less), e)));
  }
  return where(eq(b, 0), 0, mul(g, conj(mul(b, pow(a, sub(b, 1))))));
}
/** d a^b / db = a^b log a, 0 where a is 0 and b is not negative. */
function powerByExponent(g: Tensor, a: Tensor, b: Tensor, y: Tensor): Tensor {
  if (!(a instanceof Tensor)) {
    const base = a as Scalar;
    if (typeof base === 'object') return mul(g, conj(mul(y, complexLog(base))));
    if (Number(base) === 0) return where(b.dtype.isComplex ? eq(b, b) : ge(b, 0), 0, mul(g, mul(y, -Infinity)));
    const l =
      Number(base) < 0 && y.dtype.isComplex ? { re: Math.log(-Number(base)), im: Math.PI } : Math.log(Number(base));
    return mul(g, conj(mul(y, l)));
  }
  const flat = b.dtype.isComplex ? eq(a, 0) : eq(a, 0).mul(ge(b, 0));
  return where(flat, 0, mul(g, conj(mul(y, log(a)))));
}
function complexLog(z: { re: number; im: number }): { re: number; im: number } {
  return { re: Math.log(Math.hypot(z.re, z.im)), im: Math.atan2(z.im, z.re) };
}
const POW: Binary = binary('pow', [powerByBase, powerByExponent], { saves: ['ab', 'aby'] });
const NEGATIVE_POWER = 'Integers to negative integer powers are not allowed.';
function checkPower(a: TensorOrScalar, b: TensorOrScalar): void {
  if (b instanceof Tensor || typeof b === 'object' || !Number.isInteger(Number(b)) || Number(b) >= 0) return;
  if (a instanceof Tensor && !a.dtype.isFloatingPoint && !a.dtype.isComplex) throw new RuntimeError(NEGATIVE_POWER);
}
/**
 * input to the power of exponent, elementwise, in the promoted type; shapes broadcast. Negative bases with fractional
 * exponents give NaN, integers to negative powers in an exponent tensor are rounded towards zero.
 * @param input a tensor or a number
 * @param exponent a tensor or a number
 * @returns the broadcast shape
 * @throws RuntimeError for an integer tensor and a negative whole number, and for bools
 */
export const pow = withInPlace(
  op('pow(Tensor|Scalar input, Tensor|Scalar exponent)', (input: TensorOrScalar, exponent: TensorOrScalar): Tensor => {
    checkPower(input, exponent);
    return POW.impl(input, exponent);
  }),
  (self: Tensor, exponent: TensorOrScalar): Tensor => {
    checkPower(self, exponent);
    return POW.inPlace(self as never, exponent as never);
  },
);

/** The gradient of the larger (smaller) operand; halves where both are equal. */
function half(g: Tensor, wins: Tensor, ties: Tensor): Tensor {
  return where(ties, mul(g, 0.5), where(wins, g, 0));
}
/** A binary row that refuses complex tensors, which have no order. */
function ordered(name: string, row: Binary): Binary {
  const check = (a: Tensor, b: Tensor): void => {
    if (a.dtype.isComplex || b.dtype.isComplex) throw new RuntimeError(`${name} not implemented for complex tensors.`);
  };
  const declared = op(
    `${name}(Tensor input, Tensor other)` as 'binary(Tensor|Scalar input, Tensor|Scalar other)',
    (a: TensorOrScalar, b: TensorOrScalar): Tensor => {
      check(a as Tensor, b as Tensor);
      return row.impl(a, b);
    },
  );
  return withInPlace(declared, (a: Tensor, b: Tensor): Tensor => {
    check(a, b);
    return row.inPlace(a as never, b as never);
  });
}
const MAXIMUM: Binary = binary(
  'maximum',
  [(g, a, b) => half(g, gt(a, b), eq(a, b)), (g, a, b) => half(g, lt(a, b), eq(a, b))],
  {
    numbers: 'none',
    saves: ['ab', 'ab'],
  },
);
const MINIMUM: Binary = binary(
  'minimum',
  [(g, a, b) => half(g, lt(a, b), eq(a, b)), (g, a, b) => half(g, gt(a, b), eq(a, b))],
  {
    numbers: 'none',
    saves: ['ab', 'ab'],
  },
);
/** The larger of two elements; NaN wins. Tensors only, which broadcast; equal elements share the gradient by halves. */
export const maximum: Binary = ordered('maximum', MAXIMUM);
/** The smaller of two elements; NaN wins. Tensors only, which broadcast; equal elements share the gradient by halves. */
export const minimum: Binary = ordered('minimum', MINIMUM);
const loses = (a: Tensor, b: Tensor): Tensor => ge(a, b).logicalOr(b.isnan());
/** The larger of two elements, or the other one where one is NaN. Real tensors only, which broadcast. */
export const fmax: Binary = binary(
  'fmax',
  [(g, a, b) => where(loses(a, b), g, 0), (g, a, b) => where(loses(a, b), 0, g)],
  {
    numbers: 'none',
    saves: ['ab', 'ab'],
  },
);
const wins = (a: Tensor, b: Tensor): Tensor => le(a, b).logicalOr(b.isnan());
/** The smaller of two elements, or the other one where one is NaN. Real tensors only, which broadcast. */
export const fmin: Binary = binary(
  'fmin',
  [(g, a, b) => where(wins(a, b), g, 0), (g, a, b) => where(wins(a, b), 0, g)],
  {
    numbers: 'none',
    saves: ['ab', 'ab'],
  },
);

/** The angle of the point (x, y) = (other, input) in [-pi, pi], elementwise; integers give the default float type. */
export const atan2: Binary = binary(
  'atan2',
  [(g, a, b) => div(mul(g, b), add(mul(a, a), mul(b, b))), (g, a, b) => div(mul(g, neg(a)), add(mul(a, a), mul(b, b)))],
  { numbers: 'none', saves: ['ab', 'ab'] },
);
export { atan2 as arctan2 };
/** sqrt(a^2 + b^2), elementwise, without overflow in between; of floating-point tensors, which broadcast. */
export const hypot: Binary = binary('hypot', [(g, a, _b, y) => mul(g, div(a, y)), (g, _a, b, y) => mul(g, div(b, y))], {
  numbers: 'none',
  saves: ['ay', 'by'],
});
/** |input| with the sign of `other`, that of zeros included, elementwise; integers give the default float type. */
export const copysign: Binary = binary(
  'copysign',
  [(g, a, _b, y) => where(eq(a, 0), 0, mul(g, mul(sign(a), sign(y)))), (g) => zerosLike(g)],
  { numbers: 'other', saves: ['ay', ''] },
);
const NEXTAFTER: Binary = binary('nextafter', [(g) => g, (g) => zerosLike(g)], { numbers: 'none' });
/**
 * The number next to input in the direction of other, elementwise, in the type that both promote to: of floating-point
 * tensors, which broadcast. Equal elements give `other`.
 * @param input a floating-point tensor
 * @param other a floating-point tensor
 * @returns the broadcast shape
 * @throws RuntimeError for tensors that are not of floating point
 */
export const nextafter = withInPlace(
  op(
    'nextafter(Tensor input, Tensor other)',
    (input: Tensor, other: Tensor): Tensor =>
      input.dtype.itemsize === 2 && input.dtype === other.dtype && input.dtype.isFloatingPoint
        ? halfAfter(input, other)
        : NEXTAFTER(input, other),
  ),
  (self: Tensor, other: Tensor): Tensor =>
    self.dtype.itemsize === 2 && self.dtype.isFloatingPoint
      ? self.copy_(halfAfter(self, cast(other, self.dtype)))
      : NEXTAFTER.inPlace(self as never, other as never),
);
/** For half types the bits are counted up or down: as integers of a sign they are in the order of their values. */
function halfAfter(input: Tensor, other: Tensor): Tensor {
  const y = halfAfterValue(input.detach(), other.detach());
  if (needsGrad(input, other)) record('NextafterBackward0', y, [input, other], [], (g) => [g, zerosLike(g)]);
  return y;
}
function halfAfterValue(a: Tensor, b: Tensor): Tensor {
  // Broadcast by a factor of one, which keeps the sign of a zero.
  const [x, y] = [a.mul(onesLike(b)), b.mul(onesLike(a))];
  const up = gt(y, x);
  const away = where(gt(x, 0), up, up.logicalNot());
  const bits = where(away, 1, -1).add(x.contiguous().view(int16)).to(int16).view(a.dtype);
  const tiny = where(up, 1, -32767).to(int16).view(a.dtype);
  const moved = where(eq(x, 0), tiny, bits);
  return where(eq(x, y), y, where(x.isnan().logicalOr(y.isnan()), NaN, moved));
}
const LOGADDEXP: Binary = binary(
  'logaddexp',
  // exp(a) / (exp(a) + exp(b)); as with `div`, the result is not saved.
  [(g, a, b) => div(g, add(exp(sub(b, a)), 1)), (g, a, b) => div(g, add(exp(sub(a, b)), 1))],
  {
    numbers: 'none',
    saves: ['ab', 'ab'],
  },
);
/**
 * log(exp(input) + exp(other)), elementwise, without overflow.
 * @param input a floating-point or complex tensor
 * @param other a floating-point or complex tensor, broadcast with input
 * @returns the broadcast shape in the promoted type
 * @throws RuntimeError for integers and bools
 */
export const logaddexp = op('logaddexp(Tensor input, Tensor other)', (input: Tensor, other: Tensor): Tensor => {
  if (!input.dtype.isComplex && !other.dtype.isComplex) return LOGADDEXP(input, other);
  // The operand with the larger real part is taken out, so that the other exponential cannot overflow.
  const first = ge(real(input), real(other));
  const large = where(first, input, other);
  return add(large, log1p(exp(sub(where(first, other, input), large))));
});
/** log2(2^input + 2^other), elementwise, without overflow; of floating-point tensors, which broadcast. */
export const logaddexp2: Binary = binary(
  'logaddexp2',
  [(g, a, b) => div(g, add(pow(2, sub(b, a)), 1)), (g, a, b) => div(g, add(pow(2, sub(a, b)), 1))],
  { numbers: 'none', saves: ['ab', 'ab'] },
);
/** input log(other), elementwise, 0 where input is 0 unless other is NaN; integers give the default float type. */
export const xlogy: Binary = binary(
  'xlogy',
  [
    (g, a, b) => where(eq(a, 0).logicalAnd(le(b, 0)), 0, mul(g, b instanceof Tensor ? log(b) : Math.log(Number(b)))),
    (g, a, b) => div(mul(g, a), b),
  ],
  { saves: ['ab', 'ab'] },
);
/** The step function, elementwise: 0 below zero, 1 above, and the value of `other` at zero. Real tensors; no gradient. */
export const heaviside: Binary = binary('heaviside', null, { numbers: 'none' });
/** The greatest common divisor, elementwise, not negative; of integer tensors, which broadcast. */
export const gcd: Binary = binary('gcd', null, { numbers: 'none' });
/** The least common multiple, elementwise, not negative; of integer tensors, which broadcast. */
export const lcm: Binary = binary('lcm', null, { numbers: 'none' });
/** input 2^other, elementwise; shapes broadcast, integers give the default float type. */
export const ldexp: Binary = binary(
  'ldexp',
  [(g, _a, b) => mul(g, conj(pow(2, b))), (g, _a, _b, y) => mul(g, mul(conj(y), Math.LN2))],
  { numbers: 'none', saves: ['b', 'y'] },
);

/**
 * The complex numbers abs (cos(angle) + i sin(angle)), elementwise.
 * @param abs magnitudes, floating point
 * @param angle angles in radians, of the same type
 * @returns the broadcast shape, complex
 * @throws RuntimeError if the types differ or are not of floating point
 */
export const polar = op('polar(Tensor abs, Tensor angle)', (abs: Tensor, angle: Tensor): Tensor => {
  checkParts(abs, angle);
  return complexOf(mul(abs, cos(angle)), mul(abs, sin(angle)));
});
