// Attention of several heads, with the projections around it.
import { bool } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { add, mul } from '../../ops/arithmetic.js';
import { fnOp } from '../../ops/define.js';
import { cat } from '../../ops/join.js';
import { baddbmm, bmm, linear } from '../../ops/matmul.js';
import { softmax } from '../../ops/softmax.js';
import { permute } from '../../ops/view.js';
import type { Tensor } from '../../tensor/tensor.js';
import { warn } from '../warn.js';
import { attendChecked } from './attention.js';
import { dropoutOf } from './dropout.js';
import { padConstant } from './padding.js';
import { sizeText } from './reduction.js';
import { reshaped, sliceDim } from '../../ops/internal/view.js';

const tuple = (shape: readonly number[]): string => (shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`);

/** Whether the call has a batch; throws if the numbers of dimensions do not fit together. */
function checkShapes(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  keyPadding: Tensor | null,
  mask: Tensor | null,
  heads: number,
): boolean {
  const n = q.ndim;
  if (n !== 2 && n !== 3) {
    throw new RuntimeError(`query should be unbatched 2D or batched 3D tensor but received ${n}-D query tensor`);
  }
  const what = n === 3 ? 'batched (3-D)' : 'unbatched (2-D)';
  if (k.ndim !== n || v.ndim !== n) {
    throw new RuntimeError(
      `For ${what} \`query\`, expected \`key\` and \`value\` to be ${n}-D but found ${k.ndim}-D and ${v.ndim}-D tensors respectively`,
    );
  }
  if (keyPadding !== null && keyPadding.ndim !== n - 1) {
    throw new RuntimeError(
      `For ${what} \`query\`, expected \`key_padding_mask\` to be \`None\` or ${n - 1}-D but found ${keyPadding.ndim}-D tensor instead`,
    );
  }
  if (mask !== null && mask.ndim !== 2 && mask.ndim !== 3) {
    throw new RuntimeError(
      `For ${what} \`query\`, expected \`attn_mask\` to be \`None\`, 2-D or 3-D but found ${mask.ndim}-D tensor instead`,
    );
  }
  if (n === 2 && mask !== null && mask.ndim === 3) {
    const expected = [heads, q.shape[0]!, k.shape[0]!];
    if (mask.shape.join() !== expected.join()) {
      throw new RuntimeError(`Expected \`attn_mask\` shape to be ${tuple(expected)} but got ${sizeText(mask)}`);
    }
  }
  return n === 3;
}

/** A mask as numbers to add: a bool mask (true excludes) becomes 0 and minus infinity. */
export function additiveMask(
  mask: Tensor | null,
  name: string,
  other: Tensor | null,
  otherName: string,
  like: Tensor,
): Tensor | null {
  if (mask === null) return null;
  if (mask.dtype !== bool && !mask.dtype.isFloatingPoint) {
    throw new RuntimeError(`only bool and floating types of ${name} are supported`);
  }
  if (other !== null && other.dtype !== mask.dtype) {
    warn(`Support for mismatched ${name} and ${otherName} is deprecated. Use same type for both instead.`);
  }
  return mask.dtype === bool
    ? like
        .detach()
        .newZeros([...mask.shape])
        .maskedFill(mask, -Infinity)
    : mask;
}

/**
 * x: [L, N, in] through a linear map. What lies in memory as [N, L, in] is mapped as it lies, and so is the result: no copy
 * is made of a batch that came first.
 */
function projected(x: Tensor, w: Tensor, b: Tensor | null): Tensor {
  if (x.shape[0] === 1 || x.shape[1] === 1 || x.stride(0) >= x.stride(1)) return linear.impl(x, w, b);
  return linear.impl(x.transpose(0, 1), w, b).transpose(0, 1);
}

/** Query, key and value through the three parts of one matrix [3 E, E]; one product where they are the same tensor. */
function projectPacked(q: Tensor, k: Tensor, v: Tensor, w: Tensor, b: Tensor | null): [Tensor, Tensor, Tensor] {
  const e = q.size(-1);
  const part = (x: Tensor | null, from: number, to: number): Tensor | null =>
    x === null ? null : sliceDim(x, 0, from * e, to * e, 1);
  const columns = (x: Tensor, i: number): Tensor => sliceDim(x, -1, i * e, (i + 1) * e, 1);
  if (k === v && q === k) {
    const all = projected(q, w, b);
    return [columns(all, 0), columns(all, 1), columns(all, 2)];
  }
  const first = projected(q, part(w, 0, 1)!, part(b, 0, 1));
  if (k === v) {
    const both = projected(k, part(w, 1, 3)!, part(b, 1, 3));
    return [first, columns(both, 0), columns(both, 1)];
  }
  return [first, projected(k, part(w, 1, 2)!, part(b, 1, 2)), projected(v, part(w, 2, 3)!, part(b, 2, 3))];
}

function projectApart(
  inputs: readonly [Tensor, Tensor, Tensor],
  weights: readonly (Tensor | null)[],
  bias: Tensor | null,
): [Tensor, Tensor, Tensor] {
  const e = inputs[0].size(-1);
  const names = ['q', 'k', 'v'];
  const out = inputs.map((x, i) => {
    const w = weights[i]!;
    if (w === null) throw new RuntimeError(`use_separate_proj_weight is True but ${names[i]}_proj_weight is None`);
    const expected = [e, x.size(-1)];
    if (w.shape.join() !== expected.join()) {
      throw new RuntimeError(
        `expecting ${['query', 'key', 'value'][i]} weights shape of ${tuple(expected)}, but got ${sizeText(w)}`,
      );
    }
    return projected(x, w, bias === null ? null : sliceDim(bias, 0, i * e, (i + 1) * e, 1));
  });
  return out as [Tensor, Tensor, Tensor];
}

function checkMask(mask: Tensor, batch: number, heads: number, target: number, source: number): Tensor {
  const expected = mask.ndim === 2 ? [target, source] : [batch * heads, target, source];
  if (mask.shape.join() !== expected.join()) {
    throw new RuntimeError(
      `The shape of the ${mask.ndim}D attn_mask is ${sizeText(mask)}, but should be ${tuple(expected)}.`,
    );
  }
  return mask.ndim === 2 ? mask.unsqueeze(0) : mask;
}

/** [L, N, E] as [N heads, L, E / heads]. */
function intoHeads(x: Tensor, batch: number, heads: number, width: number): Tensor {
  return reshaped(x, [x.shape[0]!, batch * heads, width]).transpose(0, 1);
}
/** [N heads, ..] as [N, heads, ..]. */
function unflattenRows(x: Tensor, batch: number, heads: number): Tensor {
  return reshaped(x, [batch, heads, ...x.shape.slice(1)]);
}
function checkStatic(name: string, x: Tensor, rows: number, width: number): Tensor {
  if (x.shape[0] !== rows) throw new RuntimeError(`expecting ${name}.size(0) of ${rows}, but got ${x.shape[0]}`);
  if (x.shape[2] !== width) throw new RuntimeError(`expecting ${name}.size(2) of ${width}, but got ${x.shape[2]}`);
  return x;
}

/** What multi-head attention needs beside its inputs. */
export interface MultiHead {
  embedDim: number;
  heads: number;
  inProjWeight: Tensor | null;
  inProjBias: Tensor | null;
  biasK: Tensor | null;
  biasV: Tensor | null;
  addZeroAttn: boolean;
  dropout: number;
  outWeight: Tensor;
  outBias: Tensor | null;
  training: boolean;
  keyPaddingMask: Tensor | null;
  needWeights: boolean;
  attnMask: Tensor | null;
  separate: readonly (Tensor | null)[] | null;
  staticK: Tensor | null;
  staticV: Tensor | null;
  averageWeights: boolean;
  isCausal: boolean;
}

/** `multiHeadAttentionForward` with its settings by name, for layers. Inputs: [L, N, E], [S, N, Ek], [S, N, Ev] or without N. */
export function multiHead(query: Tensor, key: Tensor, value: Tensor, o: MultiHead): [Tensor, Tensor | null] {
  const batched = checkShapes(query, key, value, o.keyPaddingMask, o.attnMask, o.heads);
  const lift = (x: Tensor): Tensor => (batched ? x : x.unsqueeze(1));
  const q0 = lift(query);
  const k0 = key === query ? q0 : lift(key);
  const v0 = value === key ? k0 : value === query ? q0 : lift(value);
  const given = o.keyPaddingMask === null ? null : batched ? o.keyPaddingMask : o.keyPaddingMask.unsqueeze(0);
  let keyPadding = additiveMask(given, 'key_padding_mask', o.attnMask, 'attn_mask', q0);
  if (o.isCausal && o.attnMask === null) {
    throw new RuntimeError(
      'Need attn_mask if specifying the is_causal hint. You may use the Transformer module method `generate_square_subsequent_mask` to create this mask.',
    );
  }
  // The hint spares the mask; padded keys come to it as a row for each sequence.
  const onlyCausal = o.isCausal && !o.needWeights && o.biasK === null && o.biasV === null && !o.addZeroAttn;
  let mask = onlyCausal ? null : additiveMask(o.attnMask, 'attn_mask', null, '', q0);

  const [target, batch, e] = q0.shape as [number, number, number];
  const source = k0.shape[0]!;
  if (e !== o.embedDim) throw new RuntimeError(`was expecting embedding dimension of ${o.embedDim}, but got ${e}`);
  const width = Math.floor(e / o.heads);
  if (width * o.heads !== e) throw new RuntimeError(`embed_dim ${e} not divisible by num_heads ${o.heads}`);
  let q: Tensor;
  let k: Tensor;
  let v: Tensor;
  if (o.separate === null) {
    if (k0.shape.join() !== v0.shape.join()) {
      throw new RuntimeError(`key shape ${sizeText(k0)} does not match value shape ${sizeText(v0)}`);
    }
    if (o.inProjWeight === null) throw new RuntimeError('use_separate_proj_weight is False but in_proj_weight is None');
    [q, k, v] = projectPacked(q0, k0, v0, o.inProjWeight, o.inProjBias);
  } else {
    if (k0.shape.slice(0, 2).join() !== v0.shape.slice(0, 2).join()) {
      throw new RuntimeError(
        `key's sequence and batch dims torch.Size([${k0.shape.slice(0, 2).join(', ')}]) do not match value's torch.Size([${v0.shape.slice(0, 2).join(', ')}])`,
      );
    }
    [q, k, v] = projectApart([q0, k0, v0], o.separate, o.inProjBias);
  }
  if (mask !== null) mask = checkMask(mask, batch, o.heads, target, source);

  // One more place to attend to: a learned one, and one of zeros.
  const widen = (m: Tensor | null): Tensor | null => (m === null ? null : padConstant(m, [0, 1], 0));
  if (o.biasK !== null && o.biasV !== null) {
    if (o.staticK !== null) throw new RuntimeError('bias cannot be added to static key.');
    if (o.staticV !== null) throw new RuntimeError('bias cannot be added to static value.');
    k = cat.impl([k, o.biasK.expand([1, batch, e])], 0);
    v = cat.impl([v, o.biasV.expand([1, batch, e])], 0);
    [mask, keyPadding] = [widen(mask), widen(keyPadding)];
  } else {
    if (o.biasK !== null) throw new RuntimeError('bias_k is set but bias_v is None');
    if (o.biasV !== null) throw new RuntimeError('bias_v is set but bias_k is None');
  }
  const dropout = o.training ? o.dropout : 0;
  const project = (y: Tensor): Tensor => {
    const out = projected(y, o.outWeight, o.outBias);
    return batched ? out : out.squeeze(1);
  };
  const rows = batch * o.heads;
  const wholeBatch = !o.needWeights && o.staticK === null && o.staticV === null && !o.addZeroAttn;
  if (!wholeBatch) {
    q = intoHeads(q, batch, o.heads, width);
    k = o.staticK === null ? intoHeads(k, batch, o.heads, width) : checkStatic('static_k', o.staticK, rows, width);
    v = o.staticV === null ? intoHeads(v, batch, o.heads, width) : checkStatic('static_v', o.staticV, rows, width);
    if (o.addZeroAttn) {
      k = cat.impl([k, k.detach().newZeros([rows, 1, width])], 1);
      v = cat.impl([v, v.detach().newZeros([rows, 1, width])], 1);
      [mask, keyPadding] = [widen(mask), widen(keyPadding)];
    }
  }
  const places = k.shape[wholeBatch ? 0 : 1]!;
  if (keyPadding !== null) {
    [batch, places].forEach((n, d) => {
      if (keyPadding!.shape[d] !== n) {
        throw new RuntimeError(`Expected key_padded_mask.shape[${d}] to be ${n}, but got ${keyPadding!.shape[d]}`);
      }
    });
  }
  if (!o.needWeights) {
    // [1 or N heads, L, S] and [N, S] as one mask that broadcasts to [N, heads, L, S].
    const scores = mask === null ? null : mask.shape[0] === 1 ? mask.unsqueeze(0) : unflattenRows(mask, batch, o.heads);
    const padding = keyPadding === null ? null : reshaped(keyPadding, [batch, 1, 1, places]);
    const both = scores === null ? padding : padding === null ? scores : add.impl(scores, padding, 1);
    const apart = (x: Tensor): Tensor =>
      wholeBatch
        ? permute(reshaped(x, [x.shape[0]!, batch, o.heads, width]), 1, 2, 0, 3)
        : unflattenRows(x, batch, o.heads);
    const at = { mask: both, causal: onlyCausal, scale: Math.sqrt(1 / width), dropout };
    const y = attendChecked(apart(q), apart(k), apart(v), at);
    return [project(reshaped(permute(y, 2, 0, 1, 3), [target, batch, e])), null];
  }
  if (keyPadding !== null) {
    const spread = reshaped(reshaped(keyPadding, [batch, 1, 1, places]).expand([batch, o.heads, 1, places]), [
      rows,
      1,
      places,
    ]);
    mask = mask === null ? spread : add.impl(mask, spread, 1);
  }
  const scaled = mul.impl(q, Math.sqrt(1 / width));
  const turned = k.transpose(-2, -1);
  const scores = mask === null ? bmm.impl(scaled, turned) : baddbmm.impl(mask, scaled, turned, 1, 1);
  let weights = softmax.impl(scores, -1, null);
  if (dropout > 0) weights = dropoutOf(weights, dropout);
  const y = bmm.impl(weights, v);
  const out = project(reshaped(y.transpose(0, 1), [target, batch, e]));
  let shown = reshaped(weights, [batch, o.heads, target, places]);
  if (o.averageWeights) shown = shown.mean(1);
  return [out, batched ? shown : shown.squeeze(0)];
}

/**
 * Attention of several heads from its weights (https://arxiv.org/abs/1706.03762); `nn.MultiheadAttention` holds them.
 * @param query [L, N, E] or [L, E]
 * @param key [S, N, Ek] or [S, Ek]
 * @param value [S, N, Ev] or [S, Ev]
 * @param embedDimToCheck E
 * @param numHeads how many heads share E, which it divides
 * @param inProjWeight [3 E, E]: the projections of query, key and value; null with `useSeparateProjWeight`
 * @param inProjBias [3 E]: their biases, or null
 * @param biasK [1, 1, E]: one more place that keys have, or null; together with
 * @param biasV [1, 1, E]: its value, or null
 * @param addZeroAttn whether keys and values get a place of zeros
 * @param dropoutP with which probability a weight is dropped in training
 * @param outProjWeight [E, E]: the projection of the joined heads
 * @param outProjBias [E] or null
 * @param training whether dropout acts (default true)
 * @param keyPaddingMask [N, S] or [S]: true where a key is ignored, or numbers added to its scores (default null)
 * @param needWeights whether the weights are a result (default true); without them it is faster
 * @param attnMask [L, S] or [N heads, L, S]: true where attending is not allowed, or numbers added to the scores (default null)
 * @param useSeparateProjWeight whether the next three are used (default false)
 * @param qProjWeight [E, E] (default null)
 * @param kProjWeight [E, Ek] (default null)
 * @param vProjWeight [E, Ev] (default null)
 * @param staticK [N heads, S, E / heads]: projected keys to use in the place of key's (default null)
 * @param staticV [N heads, S, E / heads]: projected values to use in the place of value's (default null)
 * @param averageAttnWeights whether the weights are the mean over the heads (default true)
 * @param isCausal a hint that attnMask, which must be there, is the causal mask (default false)
 * @returns [output [L, N, E] or [L, E], weights [N, L, S] ([N, heads, L, S] if not averaged; without N as the input) or null]
 * @throws RuntimeError for sizes, masks or weights that do not fit
 */
export const multiHeadAttentionForward = fnOp(
  'multiHeadAttentionForward(Tensor query, Tensor key, Tensor value, int embedDimToCheck, int numHeads, Tensor? inProjWeight, Tensor? inProjBias, Tensor? biasK, Tensor? biasV, bool addZeroAttn, float dropoutP, Tensor outProjWeight, Tensor? outProjBias, bool training=True, Tensor? keyPaddingMask=None, bool needWeights=True, Tensor? attnMask=None, bool useSeparateProjWeight=False, Tensor? qProjWeight=None, Tensor? kProjWeight=None, Tensor? vProjWeight=None, Tensor? staticK=None, Tensor? staticV=None, bool averageAttnWeights=True, bool isCausal=False)',
  (
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embedDim: number,
    heads: number,
    inProjWeight: Tensor | null,
    inProjBias: Tensor | null,
    biasK: Tensor | null,
    biasV: Tensor | null,
    addZeroAttn: boolean,
    dropout: number,
    outWeight: Tensor,
    outBias: Tensor | null,
    training: boolean,
    keyPaddingMask: Tensor | null,
    needWeights: boolean,
    attnMask: Tensor | null,
    apart: boolean,
    qWeight: Tensor | null,
    kWeight: Tensor | null,
    vWeight: Tensor | null,
    staticK: Tensor | null,
    staticV: Tensor | null,
    averageWeights: boolean,
    isCausal: boolean,
  ): [Tensor, Tensor | null] =>
    multiHead(query, key, value, {
      embedDim,
      heads,
      inProjWeight,
      inProjBias,
      biasK,
      biasV,
      addZeroAttn,
      dropout,
      outWeight,
      outBias,
      training,
      keyPaddingMask,
      needWeights,
      attnMask,
      separate: apart ? [qWeight, kWeight, vWeight] : null,
      staticK,
      staticV,
      averageWeights,
      isCausal,
    }),
);
