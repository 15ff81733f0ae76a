// Attention (https://arxiv.org/abs/1706.03762).
import { bool, float32 } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { add, mul } from '../../ops/arithmetic.js';
import { ones } from '../../ops/creation.js';
import { fnOp } from '../../ops/define.js';
import { repeatInterleave } from '../../ops/join.js';
import { matmul } from '../../ops/matmul.js';
import { softmax } from '../../ops/softmax.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkProbability, dropoutOf } from './dropout.js';
import { cast } from '../../ops/internal/cast.js';
import { select3 } from '../../ops/internal/select.js';

/** Scores [.., L, S] with those that a mask excludes at minus infinity. A bool mask says who takes part. */
function masked(scores: Tensor, mask: Tensor | null): Tensor {
  if (mask === null) return scores;
  return mask.dtype === bool ? select3(mask, scores, -Infinity) : add.impl(scores, mask, 1);
}

/** Softmax over the last dimension; a row without any place to attend to gives zeros, not NaN. */
function attentionWeights(scores: Tensor, mask: Tensor | null): Tensor {
  const weights = softmax.impl(masked(scores, mask), -1, null);
  if (mask === null) return weights;
  const open = mask.dtype === bool ? mask : mask.detach().ne(-Infinity);
  const some = open.any(-1, true);
  return some.all().item() === true ? weights : select3(some, weights, 0);
}

function checkAttention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | null, isCausal: boolean): void {
  if (query.dtype !== key.dtype || query.dtype !== value.dtype) {
    throw new RuntimeError(
      `Expected query, key, and value to have the same dtype, but got query.dtype: ${query.dtype.name} key.dtype: ${key.dtype.name} and value.dtype: ${value.dtype.name} instead.`,
    );
  }
  if (query.ndim < 2 || key.ndim < 2 || value.ndim < 2) {
    throw new RuntimeError(
      `Expected query, key, and value to all be  at least 2 dimensional, but got query.dim(): ${query.ndim}, key.dim(): ${key.ndim} and value.dim(): ${value.ndim} instead.`,
    );
  }
  if (mask !== null && mask.dtype !== bool && mask.dtype !== query.dtype) {
    throw new RuntimeError(
      `Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: ${mask.dtype.name} and  query.dtype: ${query.dtype.name} instead.`,
    );
  }
  if (mask !== null && isCausal) {
    throw new RuntimeError('_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True');
  }
}

/** `scaledDotProductAttention` with complete arguments, for layers. */
export function attend(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  attnMask: Tensor | null,
  dropoutP: number,
  isCausal: boolean,
  scale: number | null,
  enableGqa: boolean,
): Tensor {
  checkAttention(query, key, value, attnMask, isCausal);
  if (query.dtype.itemsize === 2) {
    // Scores in half types would lose too many digits before softmax.
    const wide = (t: Tensor): Tensor => cast(t, float32);
    const mask = attnMask === null || attnMask.dtype === bool ? attnMask : wide(attnMask);
    const y = attend(wide(query), wide(key), wide(value), mask, dropoutP, isCausal, scale, enableGqa);
    return cast(y, query.dtype);
  }
  let [k, v] = [key, value];
  if (enableGqa) {
    const heads = query.size(-3);
    const repeat = (x: Tensor): Tensor => (x.size(-3) === heads ? x : repeatInterleave(x, heads / x.size(-3), -3));
    [k, v] = [repeat(key), repeat(value)];
  }
  const factor = scale ?? 1 / Math.sqrt(query.size(-1));
  const mask = isCausal ? ones([query.size(-2), key.size(-2)], { dtype: bool }).tril() : attnMask;
  const scores = matmul.impl(mul.impl(query, factor), k.transpose(-2, -1));
  const weights = attentionWeights(scores, mask);
  return matmul.impl(dropoutP > 0 ? dropoutOf(weights, dropoutP) : weights, v);
}

/**
 * softmax(query key^T scale + mask) value.
 * @param query [.., L, E]
 * @param key [.., S, E]
 * @param value [.., S, Ev]
 * @param attnMask broadcasts to [.., L, S]: bool (true takes part) or numbers that are added to the scores.
 * @param dropoutP with which probability a weight is dropped; default 0.
 * @param isCausal whether place i attends to places up to i alone; not together with a mask.
 * @param scale default 1 / sqrt(E).
 * @param enableGqa whether heads (dimension -3) of key and value serve several of the query; default false.
 * @returns [.., L, Ev]
 * @throws RuntimeError for types, sizes or masks that do not fit.
 */
export const scaledDotProductAttention = fnOp(
  'scaledDotProductAttention(Tensor query, Tensor key, Tensor value, Tensor? attnMask=None, float dropoutP=0, bool isCausal=False, float? scale=None, bool enableGqa=False)',
  (
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attnMask: Tensor | null,
    dropoutP: number,
    isCausal: boolean,
    scale: number | null,
    enableGqa: boolean,
  ): Tensor => {
    checkProbability(dropoutP);
    return attend(query, key, value, attnMask, dropoutP, isCausal, scale, enableGqa);
  },
);
