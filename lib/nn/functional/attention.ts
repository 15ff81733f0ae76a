// Attention (https://arxiv.org/abs/1706.03762).
import { needsGrad } from '../../autograd/graph.js';
import { bool, float32 } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { type AttentionSettings, attentionWeights, tiledAttention } from '../../ops/attention.js';
import { fnOp } from '../../ops/define.js';
import { repeatInterleave } from '../../ops/join.js';
import { commonShape } from '../../ops/join_util.js';
import { matmul } from '../../ops/matmul.js';
import { reshaped } from '../../ops/internal/view.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkProbability, dropoutOf } from './dropout.js';
import { cast } from '../../ops/internal/cast.js';
import { cppName } from '../../ops/internal/type_names.js';

function checkAttention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | null): void {
  if (query.dtype !== key.dtype || query.dtype !== value.dtype) {
    throw new RuntimeError(
      `Expected query, key, and value to have the same dtype, but got query.dtype: ${cppName(query.dtype)} key.dtype: ${cppName(key.dtype)} and value.dtype: ${cppName(value.dtype)} instead.`,
    );
  }
  if (query.ndim < 2 || key.ndim < 2 || value.ndim < 2) {
    throw new RuntimeError(
      `Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: ${query.ndim} key.dim: ${key.ndim} and value.dim: ${value.ndim} instead.`,
    );
  }
  if (mask !== null && mask.dtype !== bool && mask.dtype !== float32 && mask.dtype !== query.dtype) {
    throw new RuntimeError(
      `Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: ${cppName(mask.dtype)} and  query.dtype: ${cppName(query.dtype)} instead.`,
    );
  }
  if (!query.dtype.isFloatingPoint) {
    throw new RuntimeError(`expected scalar type Float but found ${query.dtype.scalarName}`);
  }
}

/** Throws, in the words of the operation that would fail, unless the sizes fit together. */
function checkSizes(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | null, grouped: boolean): void {
  const leads = [query, key, value].map((x) => x.shape.slice(0, grouped ? -3 : -2));
  const lead = [...commonShape(leads), ...(grouped ? [query.size(-3)] : [])];
  if (query.size(-1) !== key.size(-1)) {
    throw new RuntimeError(
      `Expected size for first two dimensions of batch2 tensor to be: [${product(lead)}, ${query.size(-1)}] but got: [${product(lead)}, ${key.size(-1)}].`,
    );
  }
  if (key.size(-2) !== value.size(-2)) {
    throw new RuntimeError(
      `Expected size for first two dimensions of batch2 tensor to be: [${product(lead)}, ${key.size(-2)}] but got: [${product(lead)}, ${value.size(-2)}].`,
    );
  }
  if (mask === null) return;
  const scores = [...lead, query.size(-2), key.size(-2)];
  const both = commonShape([scores, mask.shape]);
  if (both.join() !== scores.join()) {
    throw new RuntimeError(
      `output with shape [${scores.join(', ')}] doesn't match the broadcast shape [${both.join(', ')}]`,
    );
  }
}
const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Key and value for every head of the query. */
function sharedHeads(query: Tensor, key: Tensor, value: Tensor): [key: Tensor, value: Tensor] {
  const [heads, keyHeads, valueHeads] = [query.size(-3), key.size(-3), value.size(-3)];
  if (heads % keyHeads !== 0 || heads % valueHeads !== 0) {
    throw new RuntimeError('Number of heads in key and value must divide the number of heads in query');
  }
  // The tiles share a head of key and value alike; other pairs are rare enough to be written out.
  if (keyHeads === valueHeads) return [key, value];
  return [repeatInterleave(key, heads / keyHeads, -3), repeatInterleave(value, heads / valueHeads, -3)];
}

/** x: [.., rows, columns] with the leading sizes `lead`, of which there may be any number, as [B, H, rows, columns]. */
function fourDims(x: Tensor, lead: readonly number[]): Tensor {
  const own = x.shape.slice(0, -2);
  const tail = x.shape.slice(-2);
  const wide = own.join() === lead.join() ? x : x.expand([...lead, ...tail]);
  if (lead.length === 2) return wide;
  const heads = lead[lead.length - 1] ?? 1;
  return reshaped(wide, [product(lead.slice(0, -1)), heads, ...tail]);
}

/** Attention by tiles for any number of leading dimensions, which broadcast; `grouped` heads of key and value do not. */
function tiled(query: Tensor, key: Tensor, value: Tensor, at: AttentionSettings, grouped: boolean): Tensor {
  const all = [query, key, value];
  const fits =
    all.every((x) => x.ndim === 4 && x.shape[0] === query.shape[0]) &&
    key.shape[1] === value.shape[1] &&
    query.shape[1]! % key.shape[1]! === 0;
  if (fits && (at.mask === null || at.mask.ndim <= 4)) return tiledAttention(query, key, value, at);
  const leads = all.map((x) => x.shape.slice(0, -2));
  const outer = commonShape(leads.map((lead) => lead.slice(0, -1)));
  const heads = grouped ? [] : commonShape(leads.map((lead) => lead.slice(-1)));
  const leadOf = (x: Tensor): number[] => [...outer, ...(grouped ? x.shape.slice(-3, -2) : heads)];
  const lead = leadOf(query);
  let mask = at.mask;
  if (mask !== null && mask.ndim > 2) {
    mask = fourDims(mask, lead.length > 2 ? lead : mask.shape.slice(0, -2));
  }
  const y = tiledAttention(fourDims(query, lead), fourDims(key, leadOf(key)), fourDims(value, leadOf(value)), {
    ...at,
    mask,
  });
  return lead.length === 2 ? y : reshaped(y, [...lead, ...y.shape.slice(-2)]);
}

/** Attention in products of its own, with the weights as a whole: for a mask that wants a gradient. */
function composed(query: Tensor, key: Tensor, value: Tensor, at: AttentionSettings): Tensor {
  if (query.dtype.itemsize === 2) {
    // Scores in half types would lose too many digits before softmax.
    const wide = (t: Tensor): Tensor => cast(t, float32);
    const mask = at.mask === null || at.mask.dtype === bool ? at.mask : wide(at.mask);
    return cast(composed(wide(query), wide(key), wide(value), { ...at, mask }), query.dtype);
  }
  const heads = query.ndim > 2 ? query.size(-3) : 1;
  const spread = (x: Tensor): Tensor =>
    x.ndim < 3 || x.size(-3) === heads || x.size(-3) === 1 ? x : repeatInterleave(x, heads / x.size(-3), -3);
  const weights = attentionWeights(query, spread(key), at);
  return matmul.impl(at.dropout > 0 ? dropoutOf(weights, at.dropout) : weights, spread(value));
}

/** `scaledDotProductAttention` of operands that fit together, for layers; a mask may be causal, too. */
export function attendChecked(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  at: AttentionSettings,
  grouped = false,
): Tensor {
  return needsGrad(at.mask) ? composed(query, key, value, at) : tiled(query, key, value, at, grouped);
}

/** `scaledDotProductAttention` with complete arguments. */
function attend(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  attnMask: Tensor | null,
  dropoutP: number,
  isCausal: boolean,
  scale: number | null,
  enableGqa: boolean,
): Tensor {
  checkAttention(query, key, value, attnMask);
  if (attnMask !== null && isCausal && (dropoutP > 0 || query.ndim !== 4)) {
    throw new RuntimeError('_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True');
  }
  const [k, v] = enableGqa ? sharedHeads(query, key, value) : [key, value];
  checkSizes(query, k, v, attnMask, enableGqa);
  const width = query.size(-1);
  const at = {
    mask: attnMask,
    causal: isCausal,
    // Without any width the scores are zero, whatever the scale.
    scale: scale ?? (width === 0 ? 1 : 1 / Math.sqrt(width)),
    dropout: dropoutP,
  };
  return attendChecked(query, k, v, at, enableGqa);
}

/**
 * Attention (https://arxiv.org/abs/1706.03762): softmax(query key^T scale + mask) value, with dropout of the weights.
 * @param query [.., L, E], floating-point
 * @param key [.., S, E], of query's type
 * @param value [.., S, Ev], of query's type; leading sizes broadcast
 * @param attnMask broadcasts to [.., L, S]: bool (true takes part) or numbers that are added to the scores (default null: none)
 * @param dropoutP with which probability a weight is dropped, whatever the mode (default 0)
 * @param isCausal whether place i attends to places up to i alone (default false); with a mask only for four dimensions and
 *   without dropout
 * @param scale what the scores are multiplied by (default null: 1 / sqrt(E))
 * @param enableGqa whether heads (dimension -3) of key and value serve several of the query (default false)
 * @returns [.., L, Ev], of query's type
 * @throws RuntimeError for types, sizes, masks or a probability that do not fit
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
