// An encoder without the padded places of its batch: all sequences lie one after the other as [total, E], so that every layer
// works on what is there alone. The conditions, and what is seen of it, are those of PyTorch's nested tensors.
import { anyNeedsGrad } from '../../autograd/graph.js';
import { int64 } from '../../core/dtype.js';
import { tiledAttention } from '../../ops/attention.js';
import { tensor } from '../../ops/creation.js';
import { indexCopy_, indexSelect } from '../../ops/index_along.js';
import { reshaped, sliceDim } from '../../ops/internal/view.js';
import { cat } from '../../ops/join.js';
import { linear } from '../../ops/matmul.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { ModuleList } from '../containers/module_list.js';
import type { Module } from '../module.js';
import { TransformerEncoderLayer } from './transformer_layers.js';

/** Why an encoder of copies of this layer never leaves out padded places, in PyTorch's words; empty if it may. */
export function packingObstacle(layer: Module): string {
  if (!(layer instanceof TransformerEncoderLayer)) return 'encoder_layer was not TransformerEncoderLayer';
  const { self_attn: attention } = layer;
  if (layer.normFirst) return 'encoder_layer.norm_first was True';
  if (!attention.batchFirst) {
    return 'encoder_layer.self_attn.batch_first was not True(use batch_first for better inference performance)';
  }
  if (attention.in_proj_weight === null) return 'encoder_layer.self_attn._qkv_same_embed_dim was not True';
  if (attention.in_proj_bias === null) return 'encoder_layer.self_attn was passed bias=False';
  if (!layer.reluOrGelu) return 'encoder_layer.activation_relu_or_gelu was not True';
  if (layer.norm1.eps !== layer.norm2.eps) {
    return 'encoder_layer.norm1.eps was not equal to encoder_layer.norm2.eps';
  }
  return attention.numHeads % 2 === 1 ? 'encoder_layer.self_attn.num_heads is odd' : '';
}

/** Whether a layer computes nothing but what `encodeLayer` does. */
function isPlain(layer: Module): boolean {
  if (packingObstacle(layer) !== '' || layer.training) return false;
  const { self_attn: attention } = layer as TransformerEncoderLayer;
  if (attention.bias_k !== null || attention.bias_v !== null || attention.addZeroAttn) return false;
  for (const m of layer.modules()) if (m._forwardHooks.size + m._forwardPreHooks.size > 0) return false;
  return true;
}

/**
 * The lengths of the sequences, if padded places can be left out: null in training, where a gradient is wanted, or where
 * padding is not at the end.
 * @param src [N, L, E]. @param padding [N, L]: 0 where there is something.
 * @param checked whether padding in between keeps all places; without, as many places from the start count as are not padded.
 */
export function packedLengths(layers: ModuleList, src: Tensor, padding: Tensor, checked: boolean): number[] | null {
  if (src.ndim !== 3 || layers.length === 0) return null;
  const all = [...layers];
  if (!all.every(isPlain) || anyNeedsGrad([src, ...all.flatMap((layer) => [...layer.parameters()])])) return null;
  const [batch, length] = src.shape as [number, number, number];
  // A mask that does not fit is for the layers to refuse; without elements there is nothing to read.
  if (padding.shape.join() !== `${batch},${length}` || src.device.type === 'meta') return null;
  const rows = padding.tolist() as number[][];
  const lengths = rows.map((row) => row.filter((v) => v === 0).length);
  const atEnd = rows.every((row, b) => row.slice(0, lengths[b]).every((v) => v === 0));
  return checked && !atEnd ? null : lengths;
}

/** x: [total, E], the sequences one after the other. */
function encodeLayer(layer: TransformerEncoderLayer, x: Tensor, lengths: readonly number[]): Tensor {
  const { self_attn: attention } = layer;
  const { numHeads: heads, headDim: width, embedDim } = attention;
  const shares = linear.impl(x, attention.in_proj_weight!, attention.in_proj_bias);
  const at = { mask: null, causal: false, scale: 1 / Math.sqrt(width), dropout: 0 };
  let start = 0;
  const parts = lengths
    .filter((n) => n > 0)
    .map((n) => {
      const rows = reshaped(sliceDim(shares, 0, start, start + n, 1), [1, n, 3, heads, width]);
      start += n;
      const [q, k, v] = [0, 1, 2].map((i) => rows.select(2, i).transpose(1, 2)) as [Tensor, Tensor, Tensor];
      return reshaped(tiledAttention(q, k, v, at).transpose(1, 2), [n, embedDim]);
    });
  const attended = attention.out_proj(cat.impl(parts, 0));
  const y = layer.norm1(x.add(attended));
  return layer.norm2(y.add(layer.linear2(layer.activation(layer.linear1(y)))));
}

/**
 * All layers over the places that are there.
 * @param src [N, L, E]. @param lengths how many places of each sequence count.
 * @returns [N, L, E] with zeros at the other places.
 */
export function encodePacked(layers: ModuleList, src: Tensor, lengths: readonly number[]): Tensor {
  const [batch, length, width] = src.shape as [number, number, number];
  const out = src.newZeros([batch * length, width]);
  const places = lengths.flatMap((n, b) => Array.from({ length: n }, (_, i) => b * length + i));
  if (places.length > 0) {
    const index = tensor(places, { dtype: int64 });
    let x = indexSelect.impl(reshaped(src, [batch * length, width]), 0, index);
    for (const layer of layers) x = encodeLayer(layer as TransformerEncoderLayer, x, lengths);
    indexCopy_.impl(out, 0, index, x);
  }
  return reshaped(out, [batch, length, width]);
}
