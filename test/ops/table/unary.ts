// Rows of the elementary and special functions of one operand, of rounding and of tests.
import type { ComplexSpec, Pointwise } from './row';

/** Values that are exact in every floating-point type, and the special ones. */
export const REAL: readonly number[] = [
  -Infinity,
  -96,
  -12.5,
  -3,
  -2.5,
  -1.5,
  -1,
  -0.75,
  -0.5,
  -0.125,
  -0,
  0,
  0.125,
  0.5,
  0.75,
  1,
  1.5,
  2,
  2.5,
  3,
  12.5,
  96,
  Infinity,
  NaN,
];
/** Also the very small and the very large: those that a type cannot hold are left out there. */
export const WIDE: readonly number[] = [
  ...REAL,
  2 ** -140,
  2 ** -30,
  -(2 ** -30),
  2 ** -12,
  2 ** 12,
  2 ** 24 + 2,
  2 ** 100,
  -(2 ** 100),
  2 ** -600,
  2 ** 900,
];
export const COMPLEX: readonly ComplexSpec[] = [
  { re: 0.5, im: 0.25 },
  { re: -1.5, im: 0.75 },
  { re: 2, im: -1 },
  { re: -0.25, im: -0.5 },
  { re: 0, im: 0.5 },
  { re: 3.5, im: 2.25 },
  { re: 0.125, im: -3 },
  { re: -6, im: 0.5 },
];
const INTS: readonly number[] = [-128, -100, -7, -3, -1, 0, 1, 2, 3, 5, 64, 127];
/** The half types, which PyTorch leaves out of some special functions. */
export const HALVES = { float16: 'float16', bfloat16: 'bfloat16' };
const WHOLE = [-3, -2, -1, 0, 1, 2, 3];

type Options = Partial<Omit<Pointwise, 'op' | 'arity' | 'real' | 'slopes' | 'complex' | 'ints'>> & {
  real?: readonly number[] | null;
  complex?: boolean;
  ints?: boolean;
};
/** One operand; `slope` is where the gradient is checked. */
export function unary(
  op: string,
  slope: readonly [number, number] | null,
  { real = REAL, complex = false, ints = true, ...rest }: Options = {},
): Pointwise {
  return {
    op,
    arity: 1,
    ...(real && { real: [real] }),
    inPlace: true,
    ...(complex && { complex: [COMPLEX] }),
    ...(ints && { ints: [INTS] }),
    ...(slope && { slopes: [slope] }),
    ...rest,
  };
}
const elementary = (op: string, slope: readonly [number, number] = [-2, 2], rest: Options = {}): Pointwise =>
  unary(op, slope, { real: WIDE, complex: true, ...rest });
const test = (op: string, rest: Options = {}): Pointwise => unary(op, null, { real: WIDE, ...rest });
const special = (op: string, slope: readonly [number, number], rest: Options = {}): Pointwise =>
  unary(op, slope, { python: `torch.special.${op}`, inPlace: false, ...rest });

export const rows: readonly Pointwise[] = [
  elementary('neg', [-2, 2], { aliases: ['negative'] }),
  elementary('positive', [-2, 2], { inPlace: false }),
  elementary('abs', [-2, 2], { more: { bool: 'bool' }, kinks: [0], aliases: ['absolute'] }),
  unary('sign', [-2, 2], { kinks: [0] }),
  elementary('sgn', [-2, 2], { kinks: [0] }),
  elementary('square'),
  elementary('sqrt', [0.25, 4]),
  elementary('rsqrt', [0.25, 4]),
  elementary('reciprocal', [0.25, 4]),
  unary('floor', [-2, 2], { kinks: WHOLE }),
  unary('ceil', [-2, 2], { kinks: WHOLE }),
  unary('trunc', [-2, 2], { kinks: WHOLE, aliases: ['fix'] }),
  unary('round', [-2, 2], { kinks: [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5] }),
  unary('round', null, {
    variant: 'one decimal',
    options: { decimals: 1 },
    inPlace: true,
    ints: false,
    ulps: 64,
  }),
  unary('round', null, {
    variant: 'to tens',
    options: { decimals: -1 },
    inPlace: true,
    ints: false,
  }),
  unary('frac', [-2, 2], { kinks: WHOLE }),
  elementary('exp'),
  elementary('exp2'),
  elementary('expm1'),
  elementary('log', [0.25, 4]),
  elementary('log2', [0.25, 4]),
  elementary('log10', [0.25, 4]),
  elementary('log1p', [-0.5, 3]),
  elementary('sin'),
  elementary('cos'),
  elementary('tan', [-1, 1]),
  elementary('asin', [-0.8, 0.8], { aliases: ['arcsin'] }),
  elementary('acos', [-0.8, 0.8], { aliases: ['arccos'] }),
  elementary('atan', [-2, 2], { aliases: ['arctan'] }),
  elementary('sinh'),
  elementary('cosh'),
  elementary('tanh'),
  elementary('asinh', [-2, 2], { aliases: ['arcsinh'] }),
  elementary('acosh', [1.25, 4], { aliases: ['arccosh'] }),
  elementary('atanh', [-0.8, 0.8], { aliases: ['arctanh'] }),
  elementary('sigmoid'),
  elementary('sinc', [0.25, 2], { absolute: 1, anyZero: true }),
  unary('erf', [-2, 2], { real: WIDE }),
  unary('erfc', [-2, 2], { real: WIDE }),
  unary('erfinv', [-0.8, 0.8], { real: WIDE }),
  unary('lgamma', [0.5, 4], { real: WIDE, ulps: 64 }),
  unary('digamma', [0.5, 4], { ulps: 256 }),
  unary('i0', [-2, 2], {
    instead: [
      [-Infinity, Infinity],
      [Infinity, Infinity],
    ],
  }),
  special('i1', [-2, 2], {
    instead: [
      [-Infinity, -Infinity],
      [Infinity, Infinity],
    ],
    anyZero: true,
  }),
  special('i0e', [0.25, 2]),
  special('i1e', [0.25, 2], { anyZero: true }),
  special('erfcx', [-2, 2], { more: HALVES }),
  special('ndtr', [-2, 2], { absolute: 1 }),
  special('ndtri', [0.1, 0.9], { more: HALVES }),
  special('logNdtr', [-2, 2], { python: 'torch.special.log_ndtr', more: HALVES, anyZero: true }),
  special('entr', [0.25, 4]),
  unary('logit', [0.1, 0.9]),
  unary('logit', [0.3, 0.7], { variant: 'eps', extra: [0.25], real: REAL }),
  unary('nanToNum', [-2, 2], { complex: true, perType: true }),
  unary('nanToNum', [-2, 2], { variant: 'given', options: { nan: 1, posinf: 2, neginf: -3 } }),
  elementary('conj', [-2, 2], { inPlace: false }),
  elementary('conjPhysical', [-2, 2], { inPlace: true }),
  elementary('resolveConj', [-2, 2], { inPlace: false }),
  elementary('resolveNeg', [-2, 2], { inPlace: false }),
  elementary('real', [-2, 2], { inPlace: false }),
  unary('imag', [-2, 2], { real: null, complex: true, ints: false, inPlace: false }),
  elementary('angle', [-2, 2], { kinks: [0], inPlace: false }),
  unary('deg2rad', [-90, 90], { inPlace: true }),
  unary('rad2deg', [-2, 2], { inPlace: true }),
  test('isnan', { complex: true, inPlace: false }),
  test('isinf', { complex: true, inPlace: false }),
  test('isfinite', { complex: true, inPlace: false }),
  test('isposinf', { inPlace: false }),
  test('isneginf', { inPlace: false }),
  test('signbit', { inPlace: false }),
  test('isreal', { complex: true, inPlace: false }),
  test('logicalNot', { complex: true }),
  unary('bitwiseNot', null, { real: null }),
  unary('clamp', [-2, 2], { extra: [-0.75, 1.5], kinks: [-0.75, 1.5], aliases: ['clip'] }),
  unary('clamp', [-2, 2], { variant: 'only a minimum', extra: [-0.75], kinks: [-0.75] }),
  unary('clamp', [-2, 2], { variant: 'only a maximum', options: { max: 0.5 }, kinks: [0.5] }),
  unary('clamp', [-2, 2], { variant: 'whole bounds', extra: [1, 3], kinks: [1] }),
  unary('clampMin', [-2, 2], { extra: [0.5], kinks: [0.5], inPlace: true }),
  unary('clampMax', [-2, 2], { extra: [0.5], kinks: [0.5], inPlace: true }),
];
