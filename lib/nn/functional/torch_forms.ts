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

/** Values added (or, by negative numbers, taken away) at the ends of dimensions, from the last dimension on. */
export const constantPadNd = fnOp(
  'constantPadNd(Tensor input, int[] pad, Scalar value=0)',
  (input: Tensor, widths: readonly number[], value: Scalar): Tensor => pad(input, widths, 'constant', Number(value)),
);

const MODES = ['bilinear', 'nearest', 'bicubic'] as const;
const PADDINGS = ['zeros', 'border', 'reflection'] as const;
function sampler(nd: number) {
  return (input: Tensor, grid: Tensor, mode: number, padding: number, alignCorners: boolean): Tensor => {
    const [m, p] = [MODES[mode], PADDINGS[padding]];
    if (m === undefined || p === undefined)
      throw new RuntimeError(`grid_sampler(): unknown mode ${mode} or padding mode ${padding}`);
    if (nd !== 0 && input.ndim !== nd) {
      throw new RuntimeError(
        `grid_sampler(): expected a ${nd}D input for grid_sampler_${nd - 2}d but got input with sizes [${input.shape.join(', ')}]`,
      );
    }
    return gridSample(input, grid, m, p, alignCorners);
  };
}
/**
 * As F.gridSample, with numbers for the modes.
 * @param interpolationMode 0 bilinear, 1 nearest, 2 bicubic.
 * @param paddingMode 0 zeros, 1 border, 2 reflection.
 */
export const gridSampler = fnOp(
  'gridSampler(Tensor input, Tensor grid, int interpolationMode, int paddingMode, bool alignCorners)',
  sampler(0),
);
/** Of [N, C, H, W]. */
export const gridSampler2d = fnOp(
  'gridSampler2d(Tensor input, Tensor grid, int interpolationMode, int paddingMode, bool alignCorners)',
  sampler(4),
);
/** Of [N, C, D, H, W]. */
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
/** Sets elements to zero with probability p, if `train`, and scales the others by 1 / (1 - p). */
export const [dropout, dropout_] = dropouts('dropout', F.dropout);
/** As `dropout`, with the saturation value of SELU in the place of zero. */
export const [alphaDropout, alphaDropout_] = dropouts('alphaDropout', F.alphaDropout);
/** As `alphaDropout`, for whole channels. */
export const [featureAlphaDropout, featureAlphaDropout_] = dropouts('featureAlphaDropout', F.featureAlphaDropout);

const BAG_MODES = ['sum', 'mean', 'max'] as const;
/**
 * Sums, means or maxima of bags of rows of `weight`.
 * @param indices [n], the rows of all bags, one bag after the other.
 * @param offsets where each bag starts.
 * @param mode 0 sum, 1 mean, 2 max.
 * @returns the results [bags, D], the bag of every index, the bags' sizes, and for max the row each maximum is from.
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
