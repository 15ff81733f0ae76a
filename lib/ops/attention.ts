// Attention by tiles (Dao, "FlashAttention-2", 2023): memory grows with the lengths, not with their product. Only the
// result and one number a row are saved; backward computes the weights again, those that were dropped included.
import { needsGrad, record } from '../autograd/graph.js';
import { gradMode } from '../autograd/mode.js';
import * as D from '../core/dtype.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeMany } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { add, mul, sub } from './arithmetic.js';
import { select3 } from './internal/select.js';
import { cast } from './internal/cast.js';
import { ones } from './creation.js';
import { repeatInterleave } from './join.js';
import { matmul } from './matmul.js';
import { fresh } from './random_fill.js';
import { sum } from './reduce.js';
import { softmax } from './softmax.js';
import { reshaped } from './internal/view.js';

const ATTENTION = nativeOp('attention');
const ATTENTION_BACKWARD = nativeOp('attention_backward');
const ATTENTION_DROPOUT = nativeOp('attention_dropout');
const RANDOM_ = nativeOp('random_');

/** What attention does beside the products. */
export interface AttentionSettings {
  /** Broadcasts to [B, H, L, S]: bool (true takes part), or numbers that are added to the scores. */
  mask: Tensor | null;
  /** Place i attends to places up to i alone. */
  causal: boolean;
  scale: number;
  /** With which probability a weight is dropped. */
  dropout: number;
}

/**
 * softmax(scale query key^T + mask) of [.., L, S]; a row without any place to attend to gives zeros, not NaN.
 * @param query [.., L, E] @param key [.., S, E]
 */
export function attentionWeights(query: Tensor, key: Tensor, at: Omit<AttentionSettings, 'dropout'>): Tensor {
  const { mask, causal, scale } = at;
  let scores = matmul.impl(mul.impl(query, scale), key.transpose(-2, -1));
  if (mask !== null) scores = mask.dtype === D.bool ? select3(mask, scores, -Infinity) : add.impl(scores, mask, 1);
  if (causal) scores = select3(ones([query.size(-2), key.size(-2)], { dtype: D.bool }).tril(), scores, -Infinity);
  if (mask === null) return softmax.impl(scores, -1, null);
  const open = scores.detach().ne(-Infinity).any(-1, true);
  return select3(open, softmax.impl(select3(open, scores, 0), -1, null), 0);
}

/** The gradients of query, key and value, of recorded ops: for second derivatives. The memory needed is that of [L, S]. */
function recordedGradients(
  g: Tensor,
  [query, key, value]: readonly [Tensor, Tensor, Tensor],
  seed: Tensor | null,
  at: AttentionSettings,
): Tensor[] {
  const [q, g0] = query.dtype.itemsize === 2 ? [cast(query, D.float32), cast(g, D.float32)] : [query, g];
  const group = query.shape[1]! / key.shape[1]!;
  const spread = (x: Tensor): Tensor => {
    const wide = cast(x, q.dtype);
    return group === 1 ? wide : repeatInterleave(wide, group, 1);
  };
  const gathered = (x: Tensor): Tensor => {
    if (group === 1) return cast(x, query.dtype);
    const [b, h, rows, width] = x.shape as [number, number, number, number];
    return cast(sum(reshaped(x, [b, h / group, group, rows, width]), [2]), query.dtype);
  };
  const [k, v] = [spread(key), spread(value)];
  const weights = attentionWeights(q, k, at);
  const factors = seed === null ? null : invoke(ATTENTION_DROPOUT, seed, weights.shape, at.dropout, q.dtype);
  const dropped = (x: Tensor): Tensor => (factors === null ? x : mul(x, factors));
  const gWeights = dropped(matmul.impl(g0, v.transpose(-2, -1)));
  const gScores = mul(mul(weights, sub(gWeights, sum(mul(gWeights, weights), [-1], true))), at.scale);
  return [
    cast(matmul.impl(gScores, k), query.dtype),
    gathered(matmul.impl(gScores.transpose(-2, -1), q)),
    gathered(matmul.impl(dropped(weights).transpose(-2, -1), g0)),
  ];
}

/**
 * softmax(scale query key^T + mask) value, in memory that is linear in the lengths. The mask gets no gradient.
 * @param query [B, H, L, E] @param key [B, Hk, S, E] with Hk dividing H. @param value [B, Hk, S, Ev]
 * @returns [B, H, L, Ev], which lies in memory as the query does.
 */
export function tiledAttention(query: Tensor, key: Tensor, value: Tensor, at: AttentionSettings): Tensor {
  const { mask, causal, scale, dropout } = at;
  const seed = dropout > 0 ? fresh(RANDOM_, null, [1], D.int64, query, true) : null;
  const recorded = needsGrad(query, key, value);
  // Half types keep the result in float32 for backward, which takes small differences of it.
  const made = invokeMany(ATTENTION, query, key, value, mask, seed, dropout, causal, scale, recorded);
  const [kept, lse] = made as [Tensor, Tensor];
  if (!recorded) return kept;
  const out = cast(kept, query.dtype);
  const own = out === kept ? [] : [kept];
  record(
    'ScaledDotProductFlashAttentionForCpuBackward0',
    out,
    [query, key, value],
    [query, key, value, mask, seed, kept, lse],
    (g, [q, k, v, m, s, y, sums]) => {
      if (gradMode) return recordedGradients(g, [q, k, v], s, { ...at, mask: m });
      return invokeMany(ATTENTION_BACKWARD, q, k, v, m, s, dropout, causal, scale, g, y, sums);
    },
    { temporaries: seed === null ? [lse, ...own] : [seed, lse, ...own] },
  );
  return out;
}
