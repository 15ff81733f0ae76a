// Functions of `torch` that compute what functions of torch.nn.functional do, with argument lists of their own.
import { RuntimeError } from '../../core/errors.js';
import { fnOp } from '../../ops/define.js';
import { where } from '../../ops/index_mask.js';
import { cat } from '../../ops/join.js';
import type { Scalar } from '../../tensor/invoke.js';
import type { Tensor } from '../../tensor/tensor.js';
import * as F from './dropout.js';
import { embeddingBag as bagOf } from './embedding.js';
import { gridSample } from './grid_sample.js';
import { pad } from './padding.js';

/**
 * `F.pad` with a constant: values added (or, by negative numbers, taken away) at the ends of dimensions, from the last one on.
 * @param input any shape
 * @param pad [left, right, top, bottom ..]: pairs, the last dimension first
 * @param value what is added (default 0)
 * @returns input's shape with the sums of the pairs added to its sizes
 * @throws RuntimeError for an odd number or too many of pads, and for sizes below zero
 */
export const constantPadNd = fnOp(
  'constantPadNd(Tensor input, int[] pad, Scalar value=0)',
  (input: Tensor, widths: readonly number[], value: Scalar): Tensor => pad(input, widths, 'constant', Number(value)),
);

const MODES = ['bilinear', 'nearest', 'bicubic'] as const;
const PADDINGS = ['zeros', 'border', 'reflection'] as const;
function sampler(nd: number) {
  return (input: Tensor, grid: Tensor, mode: number, padding: number, alignCorners: boolean): Tensor => {
    const [m, p] = [MODES[mode], PADDINGS[padding]];
    if (m === undefined) throw new RuntimeError(`grid_sampler(): unknown interpolation mode ${mode}`);
    if (p === undefined) throw new RuntimeError(`grid_sampler(): unknown padding mode ${padding}`);
    if (nd !== 0 && input.ndim !== nd) {
      throw new RuntimeError(
        `grid_sampler(): expected a ${nd}D input for grid_sampler_${nd - 2}d but got input with sizes [${input.shape.join(', ')}]`,
      );
    }
    return gridSample(input, grid, m, p, alignCorners);
  };
}
/**
 * `F.gridSample` with numbers for the modes: the values of an image at the points of a grid.
 * @param input [N, C, H, W] or [N, C, D, H, W]
 * @param grid [N, h, w, 2] or [N, d, h, w, 3]: points in [-1, 1]
 * @param interpolationMode 0 bilinear, 1 nearest, 2 bicubic (4-D alone)
 * @param paddingMode 0 zeros, 1 border, 2 reflection
 * @param alignCorners whether -1 and 1 are the centres of the corner pixels, not their edges
 * @returns [N, C, h, w] or [N, C, d, h, w]
 * @throws RuntimeError for sizes or modes that do not fit
 */
export const gridSampler = fnOp(
  'gridSampler(Tensor input, Tensor grid, int interpolationMode, int paddingMode, bool alignCorners)',
  sampler(0),
);
/**
 * `gridSampler` of images [N, C, H, W].
 * @param input [N, C, H, W]
 * @param grid [N, h, w, 2]: points (x, y) in [-1, 1]
 * @param interpolationMode 0 bilinear, 1 nearest, 2 bicubic
 * @param paddingMode 0 zeros, 1 border, 2 reflection
 * @param alignCorners whether -1 and 1 are the centres of the corner pixels, not their edges
 * @returns [N, C, h, w]
 * @throws RuntimeError for sizes or modes that do not fit
 */
export const gridSampler2d = fnOp(
  'gridSampler2d(Tensor input, Tensor grid, int interpolationMode, int paddingMode, bool alignCorners)',
  sampler(4),
);
/**
 * `gridSampler` of volumes [N, C, D, H, W].
 * @param input [N, C, D, H, W]
 * @param grid [N, d, h, w, 3]: points (x, y, z) in [-1, 1]
 * @param interpolationMode 0 bilinear, 1 nearest
 * @param paddingMode 0 zeros, 1 border, 2 reflection
 * @param alignCorners whether -1 and 1 are the centres of the corner pixels, not their edges
 * @returns [N, C, d, h, w]
 * @throws RuntimeError for sizes or modes that do not fit
 */
export const gridSampler3d = fnOp(
  'gridSampler3d(Tensor input, Tensor grid, int interpolationMode, int paddingMode, bool alignCorners)',
  sampler(5),
);

type Drop = (input: Tensor, options: { p: number; training: boolean; inplace: boolean }) => Tensor;
/** The forms of a dropout that `torch` has: on a copy, and in place. */
function dropouts(name: string, drop: Drop) {
  const text = `${name}(Tensor input, float p, bool train)` as 'x(Tensor input, float p, bool train)';
  const form = (inplace: boolean) =>
    fnOp(text, (input: Tensor, p: number, training: boolean): Tensor => drop(input, { p, training, inplace }));
  return [form(false), form(true)] as const;
}
/**
 * Sets elements to zero with probability p and scales the others by 1 / (1 - p), if `train`; `dropout_` in place.
 * @param input any shape
 * @param p the probability of an element being dropped
 * @param train whether to do it at all
 * @returns input's shape; the input itself where nothing is dropped
 * @throws RuntimeError unless p is between 0 and 1
 */
export const [dropout, dropout_] = dropouts('dropout', F.dropout);
/**
 * As `dropout`, with the value that SELU saturates at in the place of zero, keeping mean and variance
 * (https://arxiv.org/abs/1706.02515); `alphaDropout_` in place. Arguments, result and errors as there.
 */
export const [alphaDropout, alphaDropout_] = dropouts('alphaDropout', F.alphaDropout);
/**
 * As `alphaDropout`, for whole channels of [N, C, ..]; `featureAlphaDropout_` in place. Arguments, result and errors as there.
 */
export const [featureAlphaDropout, featureAlphaDropout_] = dropouts('featureAlphaDropout', F.featureAlphaDropout);

const BAG_MODES = ['sum', 'mean', 'max'] as const;
/**
 * Sums, means or maxima of bags of rows of `weight`.
 * @param weight [V, D]
 * @param indices [n], the rows of all bags, one bag after the other; int64 or int32
 * @param offsets [B]: where each bag starts
 * @param scaleGradByFreq whether a row's gradient is divided by how often its index occurs (default false)
 * @param mode 0 sum (default), 1 mean, 2 max
 * @param sparse accepted for compatibility (default false): gradients are dense
 * @param perSampleWeights [n]: a weight for each row, for sums alone (default null: ones)
 * @param includeLastOffset whether the last offset ends the last bag (default false)
 * @param paddingIdx a row that counts in no bag (default null: none)
 * @returns the results [B, D], the bag of every index [n], the bags' sizes [B], and for max the row each maximum is from [B, D]
 *   (else [0])
 * @throws RuntimeError for arguments that do not fit together, RangeError for an index out of range
 */
export const embeddingBag = fnOp(
  'embeddingBag(Tensor weight, Tensor indices, Tensor offsets, bool scaleGradByFreq=False, int mode=0, bool sparse=False, Tensor? perSampleWeights=None, bool includeLastOffset=False, int? paddingIdx=None)',
  (
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scaleGradByFreq: boolean,
    mode: number,
    sparse: boolean,
    perSampleWeights: Tensor | null,
    includeLastOffset: boolean,
    paddingIdx: number | null,
  ): Tensor[] => {
    const name = BAG_MODES[mode];
    if (name === undefined) throw new RuntimeError(`embedding_bag(): unknown mode ${mode}`);
    const y = bagOf(indices, weight, offsets, {
      mode: name,
      scaleGradByFreq,
      sparse,
      perSampleWeights,
      includeLastOffset,
      paddingIdx,
    });
    const starts = includeLastOffset ? offsets.narrow(0, 0, offsets.shape[0]! - 1) : offsets;
    const ends = cat([starts.narrow(0, 1, Math.max(0, starts.shape[0]! - 1)), starts.newTensor([indices.numel()])]);
    const sizes = starts.shape[0] === 0 ? starts : ends.sub(starts);
    const bags = sizes.repeatInterleave();
    if (name !== 'max') return [y, bags, sizes, sizes.newEmpty([0])];
    const wins = weight.detach().indexSelect(0, indices).eq(y.detach().indexSelect(0, bags));
    const rows = where(wins, indices.unsqueeze(1), -1);
    const from = rows
      .newZeros(y.shape)
      .scatterReduce(0, bags.unsqueeze(1).expand(rows.shape), rows, 'amax', { includeSelf: false });
    return [y, bags, sizes, from];
  },
);
