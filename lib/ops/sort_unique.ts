// Unique elements and slices, and membership in a set.
import { needsGrad, record } from '../autograd/graph.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invoke2, invokeMany } from '../tensor/invoke.js';
import { Tensor, wrapDim } from '../tensor/tensor.js';
import { logicalNot } from './unary.js';
import { op } from './define.js';
import { overloadedMethod, type Unique, type UniqueOptions } from './index_methods.js';
import { fromNested } from './nested.js';
import type { TensorOrScalar } from './signature.js';
import { reshaped } from './internal/view.js';

const UNIQUE = nativeOp('unique');
const UNIQUE_DIM = nativeOp('unique_dim');
const INDEX_SELECT = nativeOp('index_select');
const ISIN = nativeOp('isin');

function distinct(
  name: string,
  input: Tensor,
  consecutive: boolean,
  inverse: boolean,
  counts: boolean,
  dim: number | null,
): Tensor | Tensor[] {
  const x = input.detach();
  let out: Tensor;
  let group: Tensor;
  let sizes: Tensor;
  if (dim === null) {
    const flat = reshaped(x, [x.numel()]);
    const [first, of, n] = invokeMany(UNIQUE, flat, consecutive) as [Tensor, Tensor, Tensor];
    out = invoke(INDEX_SELECT, flat, 0, first);
    group = reshaped(of, x.shape);
    sizes = n;
  } else {
    const d = wrapDim(dim, x.ndim);
    const [first, of, n] = invokeMany(UNIQUE_DIM, x, d, consecutive) as [Tensor, Tensor, Tensor];
    out = invoke(INDEX_SELECT, x, d, first);
    group = of;
    sizes = n;
  }
  if (needsGrad(input)) {
    record('NotImplemented', out, [input], [], () => {
      throw new RuntimeError(`the derivative for '${name}' is not implemented.`);
    });
  }
  if (!inverse && !counts) return out;
  return [out, ...(inverse ? [group] : []), ...(counts ? [sizes] : [])];
}

const UNIQUE_ROW = op(
  'unique(Tensor input, bool sorted=True, bool returnInverse=False, bool returnCounts=False, int? dim=None)',
  (input: Tensor, _sorted: boolean, inverse: boolean, counts: boolean, dim: number | null): Tensor | Tensor[] =>
    distinct(dim === null ? '_unique2' : 'unique_dim', input, false, inverse, counts, dim),
);
function uniqueOf<const O extends UniqueOptions & { sorted?: boolean } = object>(input: Tensor, options?: O): Unique<O>;
function uniqueOf(
  input: Tensor,
  sorted: boolean,
  returnInverse?: boolean,
  returnCounts?: boolean,
  dim?: number | null,
): Tensor | Tensor[];
function uniqueOf(...args: unknown[]): unknown {
  return (UNIQUE_ROW as unknown as (...a: unknown[]) => unknown)(...args);
}
/**
 * The different elements in ascending order, or the different slices along `dim`, ordered by their first difference.
 * @param input any shape
 * @param sorted has no effect: they always are (default true)
 * @param returnInverse whether to give also which of them each element is (default false)
 * @param returnCounts whether to give also how often each occurs (default false)
 * @param dim the dimension of slices (default null: single elements)
 * @returns a vector, or input's shape with fewer places in `dim`; a list [elements, inverse?, counts?] if more was asked for
 * @throws RangeError if the dimension is out of range; RuntimeError in backward, as there is no gradient
 */
export const unique = Object.assign(uniqueOf, { home: 'function' as const });
overloadedMethod('unique', unique);

const CONSECUTIVE_ROW = op(
  'uniqueConsecutive(Tensor input, bool returnInverse=False, bool returnCounts=False, int? dim=None)',
  (input: Tensor, inverse: boolean, counts: boolean, dim: number | null): Tensor | Tensor[] =>
    distinct('unique_consecutive', input, true, inverse, counts, dim),
);
function consecutiveOf<const O extends UniqueOptions = object>(input: Tensor, options?: O): Unique<O>;
function consecutiveOf(
  input: Tensor,
  returnInverse: boolean,
  returnCounts?: boolean,
  dim?: number | null,
): Tensor | Tensor[];
function consecutiveOf(...args: unknown[]): unknown {
  return (CONSECUTIVE_ROW as unknown as (...a: unknown[]) => unknown)(...args);
}
/** Elements (or slices along `dim`) without those that equal their predecessor; options and results as of `unique`. */
export const uniqueConsecutive = Object.assign(consecutiveOf, { home: 'function' as const });
overloadedMethod('uniqueConsecutive', uniqueConsecutive);

/**
 * Whether each element is among `testElements`.
 * @param elements a tensor or a number
 * @param testElements a tensor of any shape or a number; one of both is a tensor
 * @param assumeUnique has no effect (default false)
 * @param invert whether to give whether it is not (default false)
 * @returns elements' shape, of bool
 * @throws RuntimeError if both are numbers
 */
export const isin = op(
  'isin(Tensor|Scalar elements, Tensor|Scalar testElements, bool assumeUnique=False, bool invert=False)',
  (elements: TensorOrScalar, testElements: TensorOrScalar, _assumeUnique: boolean, invert: boolean): Tensor => {
    if (!(elements instanceof Tensor) && !(testElements instanceof Tensor)) {
      throw new RuntimeError('isin(): at least one of the arguments must be a tensor');
    }
    const asTensor = (v: TensorOrScalar): Tensor => (v instanceof Tensor ? v : fromNested(v, null));
    const found = invoke2(ISIN, asTensor(elements), asTensor(testElements));
    return invert ? logicalNot(found) : found;
  },
);
