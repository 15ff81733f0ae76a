// Rows of the activations of neural networks.
import type { Pointwise } from './row';
import { REAL, unary, WIDE } from './unary';

type Options = Parameters<typeof unary>[2];
const activation = (op: string, rest: Options = {}): Pointwise =>
  unary(op, [-4, 4], { real: REAL, inPlace: false, ...rest });
const F = (name: string): string => `torch.nn.functional.${name}`;

export const rows: readonly Pointwise[] = [
  activation('relu', { kinks: [0], inPlace: true, real: WIDE }),
  activation('silu', { inPlace: true, complex: true, python: F('silu') }),
  activation('gelu', { absolute: 1, python: F('gelu') }),
  activation('gelu', { variant: 'tanh', absolute: 1, options: { approximate: 'tanh' }, python: F('gelu') }),
  activation('mish', { inPlace: true, python: F('mish') }),
  activation('softplus', { python: F('softplus') }),
  activation('softplus', { variant: 'beta and threshold', extra: [2, 3], kinks: [1.5], python: F('softplus') }),
  activation('elu', { inPlace: true, kinks: [0], python: F('elu') }),
  activation('elu', { variant: 'alpha', extra: [0.5], kinks: [0], inPlace: true, python: F('elu') }),
  activation('celu', { inPlace: true, kinks: [0] }),
  activation('celu', { variant: 'alpha', extra: [0.5], kinks: [0], inPlace: true }),
  activation('selu', { inPlace: true, kinks: [0] }),
  activation('leakyRelu', { inPlace: true, kinks: [0], python: F('leaky_relu') }),
  activation('leakyRelu', { variant: 'slope', extra: [0.5], kinks: [0], inPlace: true, python: F('leaky_relu') }),
  activation('hardtanh', { inPlace: true, kinks: [-1, 1], python: F('hardtanh') }),
  activation('hardtanh', {
    variant: 'bounds',
    extra: [-2.5, 1.5],
    kinks: [-2.5, 1.5],
    inPlace: true,
    python: F('hardtanh'),
  }),
  activation('relu6', { inPlace: true, kinks: [0, 6], anyZero: true, python: F('relu6') }),
  activation('hardsigmoid', { inPlace: true, kinks: [-3, 3], python: F('hardsigmoid') }),
  activation('hardswish', { inPlace: true, kinks: [-3, 3], python: F('hardswish') }),
  activation('logsigmoid', { python: F('logsigmoid') }),
  activation('hardshrink', { kinks: [-0.5, 0.5] }),
  activation('hardshrink', { variant: 'lambd', extra: [1.5], kinks: [-1.5, 1.5] }),
  activation('softshrink', { kinks: [-0.5, 0.5], anyZero: true, python: F('softshrink') }),
  activation('tanhshrink', { absolute: 2, more: { bool: 'float32' }, python: F('tanhshrink') }),
  activation('softsign', { more: { bool: 'float32' }, kinks: [0], python: F('softsign') }),
  activation('threshold', { extra: [0.5, -7], kinks: [0.5], inPlace: true, python: F('threshold') }),
];
