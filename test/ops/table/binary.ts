// Rows of two and three operands: arithmetic, comparison, logic, bits.
import type { ComplexSpec, Pointwise } from './row';
import { COMPLEX } from './unary';

const REAL: readonly number[] = [-Infinity, -3, -1.5, -1, -0.5, -0, 0, 0.5, 1, 2, 3.5, Infinity, NaN];
const FEW: readonly number[] = [-Infinity, -1.5, -0, 0, 0.5, 2, NaN];
const INTS: readonly number[] = [-128, -7, -2, -1, 0, 1, 3, 7, 127];
const DIVISORS: readonly number[] = [-128, -7, -2, -1, 1, 3, 7, 127];
const PAIRS: readonly ComplexSpec[] = COMPLEX.slice(0, 5);
const RANGE: readonly [number, number] = [0.25, 2];

type Options = Partial<Omit<Pointwise, 'op' | 'arity' | 'real' | 'complex' | 'ints'>> & {
  real?: readonly (readonly number[])[] | null;
  complex?: boolean;
  ints?: readonly (readonly number[])[] | null;
};
function binary(
  op: string,
  { real = [REAL, REAL], complex = false, ints = [INTS, INTS], ...rest }: Options = {},
): Pointwise {
  return {
    op,
    arity: 2,
    inPlace: true,
    numbers: 'either',
    ...(real && { real }),
    ...(complex && { complex: [PAIRS, PAIRS] }),
    ...(ints && { ints }),
    ...rest,
  };
}
const smooth = (op: string, rest: Options = {}): Pointwise => binary(op, { slopes: [RANGE, RANGE], ...rest });
const compare = (op: string, rest: Options = {}): Pointwise => binary(op, { numbers: 'other', ...rest });
const logic = (op: string): Pointwise => binary(op, { numbers: 'none', complex: true });
const bits = (op: string, rest: Options = {}): Pointwise => binary(op, { real: null, ...rest });
const division = (op: string, rest: Options = {}): Pointwise => binary(op, { ints: [INTS, DIVISORS], ...rest });
function ternary(
  op: string,
  { ints = [INTS.slice(1, 8), [-2, 0, 3], [-1, 1, 2]], real = [FEW, FEW, FEW], ...rest }: Options = {},
): Pointwise {
  return {
    op,
    arity: 3,
    inPlace: true,
    slopes: [RANGE, RANGE, RANGE],
    numbers: 'none',
    ...(real && { real }),
    ...(ints && { ints }),
    ...rest,
    complex: [PAIRS.slice(0, 3), PAIRS.slice(1, 4), PAIRS.slice(2, 5)],
  };
}

export const rows: readonly Pointwise[] = [
  smooth('add', { complex: true }),
  smooth('add', { variant: 'alpha', options: { alpha: 2 }, complex: true }),
  smooth('sub', { complex: true, aliases: ['subtract'] }),
  smooth('sub', { variant: 'alpha', options: { alpha: 3 }, complex: true }),
  smooth('rsub', { complex: true, inPlace: false, numbers: 'other' }),
  smooth('mul', { complex: true, aliases: ['multiply'] }),
  smooth('div', { complex: true, ints: [INTS, DIVISORS], aliases: ['divide', 'trueDivide'] }),
  division('div', { variant: 'floor', options: { roundingMode: 'floor' } }),
  division('div', { variant: 'trunc', options: { roundingMode: 'trunc' } }),
  division('floorDivide'),
  division('remainder', {
    slopes: [
      [0.25, 0.5],
      [0.75, 2],
    ],
  }),
  division('fmod', {
    numbers: 'other',
    slopes: [
      [0.25, 0.5],
      [0.75, 2],
    ],
  }),
  smooth('pow', { complex: true, ints: [INTS, [0, 1, 2, 3, 7]] }),
  smooth('maximum', { numbers: 'none', slopes: [RANGE, [0.3, 2.1]] }),
  smooth('minimum', { numbers: 'none', slopes: [RANGE, [0.3, 2.1]] }),
  smooth('fmax', { anyZero: true, numbers: 'none', slopes: [RANGE, [0.3, 2.1]] }),
  smooth('fmin', { anyZero: true, numbers: 'none', slopes: [RANGE, [0.3, 2.1]] }),
  smooth('atan2', { numbers: 'none', aliases: ['arctan2'] }),
  smooth('hypot', { numbers: 'none' }),
  binary('copysign', { numbers: 'other', slopes: [RANGE, RANGE] }),
  binary('nextafter', { numbers: 'none', perType: true }),
  smooth('logaddexp', { numbers: 'none', complex: true, absolute: 2, inPlace: false }),
  smooth('logaddexp2', { numbers: 'none', absolute: 2, anyZero: true }),
  smooth('xlogy'),
  smooth('xlog1py', { inPlace: false, python: 'torch.special.xlog1py' }),
  binary('zeta', {
    inPlace: false,
    real: [
      [2, 3, 4.5, 1, 0.5],
      [0.5, 1, 2.5, 7, -1.5, NaN],
    ],
    python: 'torch.special.zeta',
    ulps: 256,
    slopes: [null, [1, 3]],
    more: { float16: 'float16', bfloat16: 'bfloat16' },
  }),
  binary('heaviside', { numbers: 'none' }),
  binary('gcd', { real: null, ints: [INTS.slice(1), INTS.slice(1)], numbers: 'none' }),
  binary('lcm', { real: null, ints: [INTS.slice(1), INTS.slice(1)], numbers: 'none' }),
  smooth('ldexp', { real: [REAL, [-3, -1, 0, 1, 2.5, 5]], ints: [INTS, [-3, 0, 1, 4]], numbers: 'none' }),
  compare('eq', { complex: true }),
  compare('ne', { complex: true, aliases: ['notEqual'] }),
  compare('lt', { aliases: ['less'] }),
  compare('le', { aliases: ['lessEqual'] }),
  compare('gt', { aliases: ['greater'] }),
  compare('ge', { aliases: ['greaterEqual'] }),
  logic('logicalAnd'),
  logic('logicalOr'),
  logic('logicalXor'),
  bits('bitwiseAnd'),
  bits('bitwiseOr'),
  bits('bitwiseXor'),
  bits('bitwiseLeftShift', { ints: [INTS, [0, 1, 3, 6]] }),
  bits('bitwiseRightShift', { ints: [INTS, [0, 1, 3, 7]] }),
  binary('isclose', { inPlace: false, numbers: 'none', complex: true }),
  binary('isclose', {
    variant: 'tolerances',
    options: { rtol: 0.5, atol: 0.25, equalNan: true },
    inPlace: false,
    numbers: 'none',
  }),
  smooth('polar', {
    real: [
      [0, 0.5, 2, 3],
      [-2, -0.5, 0, 1.5],
    ],
    ints: null,
    inPlace: false,
    numbers: 'none',
  }),
  smooth('complex', { real: [REAL, REAL], ints: null, inPlace: false, numbers: 'none' }),
  ternary('addcmul'),
  ternary('addcmul', { variant: 'value', options: { value: 2 } }),
  ternary('addcdiv', { ints: null }),
  ternary('addcdiv', { variant: 'value', options: { value: -0.5 }, ints: null }),
  ternary('lerp', { ints: null, real: [FEW, FEW, [0, 0.25, 0.5, 0.75, 1, 2]] }),
  ternary('where', { inPlace: false, masked: true, slopes: [null, RANGE, RANGE] }),
];
