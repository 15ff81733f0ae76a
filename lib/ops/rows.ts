// Makers of pointwise rows: the native op, the gradient, and the in-place form from one declaration.
import { arithmetic } from '../autograd/arithmetic.js';
import { needsGrad, record } from '../autograd/graph.js';
import { gradMode } from '../autograd/mode.js';
import { checkInPlace, operand, recordInPlace } from '../autograd/view.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invoke1, invoke2, invokeVoid } from '../tensor/invoke.js';
import type { ComplexNumber, Scalar } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { type Op, op } from './define.js';
import type { TensorOrScalar } from './signature.js';

/** 'logSoftmax' to 'log_softmax'. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
}

/** The name of an op's graph node in PyTorch: 'logSoftmax' to 'LogSoftmaxBackward0'. */
export function nodeName(name: string): string {
  return `${name[0]!.toUpperCase()}${name.slice(1)}Backward0`;
}

/** An op that also exists as `name_`, in place on its first argument. */
export interface InPlace {
  /** @internal */
  readonly inPlace: (...args: never[]) => Tensor;
}

/** Marks an op as having an in-place form with the same further arguments. */
export function withInPlace<O>(declared: O, inPlace: unknown): O & InPlace {
  return Object.assign(declared as object, { inPlace }) as O & InPlace;
}

/** The gradient of a unary row: g is the result's gradient, x the operand, y the result. */
export type UnaryGradient = (g: Tensor, x: Tensor, y: Tensor) => Tensor | null;

interface UnaryOptions {
  /** What the gradient reads; nothing that it does not read is kept alive. */
  saves?: 'x' | 'y' | 'xy';
  /** The native op's name, where it differs. */
  native?: string;
}

export type Unary = Op<'unary(Tensor input)', (input: Tensor) => Tensor, 'both'> & InPlace;

/**
 * A unary row.
 * @param name the op's name; its native op has the same in snake_case.
 * @param gradient the gradient of the operand; null for an op without one (its result is not recorded).
 */
export function unary(name: string, gradient: UnaryGradient | null, options: UnaryOptions = {}): Unary {
  const id = nativeOp(options.native ?? snakeCase(name));
  const idInPlace = nativeOp(`${options.native ?? snakeCase(name)}_`);
  const node = nodeName(name);
  const saves = options.saves ?? '';
  const backward =
    saves === 'x'
      ? (g: Tensor, s: readonly Tensor[]) => [gradient!(g, s[0]!, s[0]!)]
      : saves === 'y'
        ? (g: Tensor, s: readonly Tensor[]) => [gradient!(g, s[0]!, s[0]!)]
        : (g: Tensor, s: readonly Tensor[]) => [gradient!(g, s[0]!, s[1]!)];
  const saved = (x: Tensor, y: Tensor): Tensor[] =>
    saves === 'x' ? [x] : saves === 'y' ? [y] : saves === 'xy' ? [x, y] : [];
  const impl = (input: Tensor): Tensor => {
    const y = invoke1(id, input);
    if (gradMode && gradient !== null && input._ad !== null && needsGrad(input))
      record(node, y, [input], saved(input, y), backward);
    return y;
  };
  const inPlace = (self: Tensor): Tensor => {
    const recorded = gradient !== null && needsGrad(self);
    checkInPlace(self, recorded);
    const before = recorded && saves.includes('x') ? arithmetic.clone(self) : self;
    invokeVoid(idInPlace, self);
    if (recorded) recordInPlace(node, self, [self], saved(before, self), backward);
    return self;
  };
  return withInPlace(op(`${name}(Tensor input)` as 'unary(Tensor input)', impl), inPlace);
}

/** The gradient of one operand of a binary row; an operand that is a number stays one. */
export type BinaryGradient = (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => Tensor;

interface BinaryOptions {
  /** What the gradients read: operands (a, b) and the result (y), one string per operand's gradient. */
  saves?: readonly [
    '' | 'a' | 'b' | 'ab' | 'y' | 'ay' | 'by' | 'aby',
    '' | 'a' | 'b' | 'ab' | 'y' | 'ay' | 'by' | 'aby',
  ];
  native?: string;
  /** Which operands may be numbers: either (the default), only the second, or none. */
  numbers?: 'either' | 'other' | 'none';
}

const OPERANDS = {
  either: 'Tensor|Scalar input, Tensor|Scalar other',
  other: 'Tensor input, Tensor|Scalar other',
  none: 'Tensor input, Tensor other',
};

export type Binary = Op<
  'binary(Tensor|Scalar input, Tensor|Scalar other)',
  (input: TensorOrScalar, other: TensorOrScalar) => Tensor,
  'both'
> &
  InPlace;

function isTensor(v: TensorOrScalar): v is Tensor {
  return v instanceof Tensor;
}

/**
 * A binary row.
 * @param gradients the gradients of both operands (before broadcasting is undone, which the engine does); null for an
 *   op without gradient.
 */
export function binary(
  name: string,
  gradients: readonly [BinaryGradient | null, BinaryGradient | null] | null,
  options: BinaryOptions = {},
): Binary {
  const id = nativeOp(options.native ?? snakeCase(name));
  const idInPlace = nativeOp(`${options.native ?? snakeCase(name)}_`);
  const node = nodeName(name);
  const [savesA, savesB] = options.saves ?? ['', ''];
  const recordWith = (
    into: (
      inputs: (Tensor | null)[],
      saved: (Tensor | null)[],
      backward: (g: Tensor, s: readonly (Tensor | null)[], needs: readonly boolean[]) => (Tensor | null)[],
    ) => void,
    a: TensorOrScalar,
    b: TensorOrScalar,
    y: Tensor,
    aSaved: TensorOrScalar,
  ): void => {
    const ta = isTensor(a) ? a : null;
    const tb = isTensor(b) ? b : null;
    const reads = (needsGrad(ta) ? savesA : '') + (needsGrad(tb) ? savesB : '');
    const keptA = reads.includes('a') && isTensor(aSaved) ? aSaved : null;
    const keptB = reads.includes('b') ? tb : null;
    const keptY = reads.includes('y') ? y : null;
    // Numbers reach the formulas as they are: the ops take them in place of a tensor.
    const numberA = ta === null ? (a as unknown as Tensor) : null;
    const numberB = tb === null ? (b as unknown as Tensor) : null;
    into([ta, tb], [keptA, keptB, keptY], (g, s, needs) => {
      const x = numberA ?? s[0]!;
      const z = numberB ?? s[1]!;
      return [
        needs[0] && gradients![0] !== null ? gradients![0](g, x, z, s[2]!) : null,
        needs[1] && gradients![1] !== null ? gradients![1](g, x, z, s[2]!) : null,
      ];
    });
  };
  const impl = (a: TensorOrScalar, b: TensorOrScalar): Tensor => {
    const y = isTensor(a) && isTensor(b) ? invoke2(id, a, b) : invoke(id, a, b);
    if (gradMode && gradients !== null && needsGrad(isTensor(a) ? a : null, isTensor(b) ? b : null)) {
      recordWith((inputs, saved, backward) => record(node, y, inputs, saved, backward), a, b, y, a);
    }
    return y;
  };
  const inPlace = (self: Tensor, other: TensorOrScalar): Tensor => {
    const recorded = gradients !== null && needsGrad(self, isTensor(other) ? other : null);
    checkInPlace(self, recorded);
    const readsSelf =
      recorded && ((needsGrad(self) ? savesA : '') + (isTensor(other) && needsGrad(other) ? savesB : '')).includes('a');
    const before = readsSelf ? arithmetic.clone(self) : self;
    const second = recorded ? operand(other, self) : other;
    invokeVoid(idInPlace, self, other);
    if (recorded) {
      recordWith(
        (inputs, saved, backward) => recordInPlace(node, self, inputs, saved, backward),
        self,
        second,
        self,
        before,
      );
    }
    return self;
  };
  return withInPlace(
    op(`${name}(${OPERANDS[options.numbers ?? 'either']})` as 'binary(Tensor|Scalar input, Tensor|Scalar other)', impl),
    inPlace,
  );
}

/**
 * Runs and records an op with one tensor operand and numbers as parameters.
 * @param gradient gets the result's gradient, the operand and the result, which are saved as `saves` says.
 */
export function pointwise1(
  id: number,
  node: string,
  x: Tensor,
  params: readonly Scalar[],
  saves: '' | 'x' | 'y' | 'xy',
  gradient: UnaryGradient,
): Tensor {
  const y = invoke(id, x, ...params);
  if (gradMode && needsGrad(x)) {
    const saved = [saves.includes('x') ? x : null, saves.includes('y') ? y : null];
    record(node, y, [x], saved, (g, s) => [gradient(g, s[0]!, s[1]!)]);
  }
  return y;
}

/** The in-place form of `pointwise1`. */
export function pointwise1_(
  id: number,
  node: string,
  self: Tensor,
  params: readonly Scalar[],
  saves: '' | 'x' | 'y' | 'xy',
  gradient: UnaryGradient,
): Tensor {
  const recorded = needsGrad(self);
  checkInPlace(self, recorded);
  const before = recorded && saves.includes('x') ? arithmetic.clone(self) : null;
  invokeVoid(id, self, ...params);
  if (recorded) {
    recordInPlace(node, self, [self], [before, saves.includes('y') ? self : null], (g, s) => [
      gradient(g, s[0]!, s[1]!),
    ]);
  }
  return self;
}

/** -1 times, for a tensor or a number. */
export function negated(v: Scalar): Scalar {
  if (typeof v === 'object') return { re: -v.re, im: -v.im } satisfies ComplexNumber;
  return typeof v === 'bigint' ? -v : -Number(v);
}
