// Softmax over many classes, by clusters.
import { RuntimeError } from '../../core/errors.js';
import { logSoftmax } from '../../ops/softmax.js';
import { cat } from '../../ops/join.js';
import { namedTuple } from '../../ops/results.js';
import { where } from '../../ops/index_mask.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ModuleList } from '../containers/module_list.js';
import { Sequential } from '../containers/sequential.js';
import { Module } from '../module.js';
import { type ArgumentsOf, type DeviceSetting, type DTypeSetting, settings } from './arguments.js';
import { Linear } from './linear.js';

const adaptiveSettings = settings<
  [
    inFeatures: number,
    nClasses: number,
    cutoffs: readonly number[],
    divValue: number,
    headBias: boolean,
    device: DeviceSetting,
    dtype: DTypeSetting,
  ]
>()(
  'AdaptiveLogSoftmaxWithLoss(int inFeatures, int nClasses, int[] cutoffs, float divValue=4, bool headBias=False, Device? device=None, ScalarType? dtype=None)',
);

/**
 * Log softmax over many classes that are sorted by frequency: the head has the frequent ones and one entry for each cluster of
 * rare ones, whose layers are narrower the rarer they are (https://arxiv.org/abs/1609.04309).
 * Input [N, inFeatures] and target [N] (or without N) to { output, loss }. Modules: `head`, a linear layer to cutoffs[0] and the
 * number of clusters, and `tail`, for cluster i a linear layer to floor(inFeatures / divValue^(i + 1))
 * features and one to its classes.
 */
export class AdaptiveLogSoftmaxWithLoss extends Module {
  inFeatures: number;
  nClasses: number;
  /** Where clusters end; the last is nClasses. */
  cutoffs: number[];
  divValue: number;
  headBias: boolean;
  shortlistSize: number;
  nClusters: number;
  headSize: number;
  declare head: Linear;
  declare tail: ModuleList;

  /**
   * @param args inFeatures: features of an input; nClasses; cutoffs: where clusters begin, ascending within 1 .. nClasses - 1;
   *   divValue (default 4): each cluster is that much narrower; headBias (default false); device, dtype (default null: the
   *   default ones): of the parameters.
   * @throws RuntimeError unless the cutoffs increase within the classes; TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof adaptiveSettings>) {
    super();
    const [inFeatures, nClasses, cutoffs, divValue, headBias, device, dtype] = adaptiveSettings(args);
    if (cutoffs.length === 0) throw new RuntimeError('cutoffs should be a sequence of length larger than 0');
    if (cutoffs.some((c, i) => c <= (i === 0 ? 0 : cutoffs[i - 1]!) || c > nClasses - 1)) {
      throw new RuntimeError(
        'cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 and n_classes-1',
      );
    }
    this.inFeatures = inFeatures;
    this.nClasses = nClasses;
    this.cutoffs = [...cutoffs, nClasses];
    this.divValue = divValue;
    this.headBias = headBias;
    this.shortlistSize = cutoffs[0]!;
    this.nClusters = cutoffs.length;
    this.headSize = this.shortlistSize + this.nClusters;
    this.head = new Linear(inFeatures, this.headSize, { bias: headBias, device, dtype });
    this.tail = new ModuleList();
    for (let i = 0; i < this.nClusters; i++) {
      const width = Math.floor(inFeatures / divValue ** (i + 1));
      const size = this.cutoffs[i + 1]! - this.cutoffs[i]!;
      this.tail.append(
        new Sequential(
          new Linear(inFeatures, width, { bias: false, device, dtype }),
          new Linear(width, size, { bias: false, device, dtype }),
        ),
      );
    }
  }

  /** Draws the parameters of all layers anew, as `Linear` does. */
  resetParameters(): void {
    this.head.resetParameters();
    for (const projection of this.tail)
      for (const layer of projection as Sequential) (layer as Linear).resetParameters();
  }

  /** @internal Log probabilities of cluster i given that the class is in it. */
  _cluster(i: number, input: Tensor): Tensor {
    return logSoftmax.impl((this.tail.get(i) as Sequential)(input), 1, null);
  }

  /**
   * @param input [N, inFeatures] or [inFeatures]
   * @param target [N] or []: classes, int64
   * @returns `output`: the log probability of each target, [N] or [], and `loss`: minus their mean, [].
   * @throws RuntimeError for sizes that do not fit or targets out of range.
   */
  override forward(input: Tensor, target: Tensor): Tensor[] & { output: Tensor; loss: Tensor } {
    const show = `torch.Size([${input.shape.join(', ')}])`;
    if (target.ndim > 1) throw new RuntimeError('0D or 1D target tensor expected, multi-target not supported');
    if (target.ndim === 1 && input.shape[0] !== target.shape[0]) {
      throw new RuntimeError('Input and target should have the same size in the batch dimension.');
    }
    if (input.ndim !== target.ndim + 1) {
      throw new RuntimeError(
        `${target.ndim}D target tensor expects ${target.ndim + 1}D input tensors, but found inputs with size ${show}`,
      );
    }
    const batched = target.ndim > 0;
    const x = batched ? input : input.unsqueeze(0);
    const y = batched ? target : target.unsqueeze(0);
    const outside = y.lt(0).logicalOr(y.ge(this.nClasses));
    if (outside.any().item() === true) {
      throw new RuntimeError(
        `Target values should be in [0, ${this.nClasses - 1}], but values in range [${y.min().item()}, ${y.max().item()}] were found. `,
      );
    }
    // In the head, a rare class is found under its cluster.
    let inHead = y;
    let output = x.newZeros([y.shape[0]!]);
    for (let i = 0; i < this.nClusters; i++) {
      const inside = y.ge(this.cutoffs[i]!).logicalAnd(y.lt(this.cutoffs[i + 1]!));
      const rows = inside.nonzero().squeeze(1);
      if (rows.numel() === 0) continue;
      inHead = where(inside, this.shortlistSize + i, inHead);
      const relative = y.indexSelect(0, rows).sub(this.cutoffs[i]!);
      const local = this._cluster(i, x.indexSelect(0, rows)).gather(1, relative.unsqueeze(1)).squeeze(1);
      output = output.indexCopy(0, rows, local);
    }
    const head = logSoftmax.impl(this.head(x), 1, null);
    output = output.add(head.gather(1, inHead.unsqueeze(1)).squeeze(1));
    const loss = output.neg().mean();
    return namedTuple(['output', 'loss'], [batched ? output : output.squeeze(0), loss]);
  }

  /** @internal */
  _fullLogProb(input: Tensor, scores: Tensor): Tensor {
    const head = logSoftmax.impl(scores, 1, null);
    const parts = [head.narrow(1, 0, this.shortlistSize)];
    for (let i = 0; i < this.nClusters; i++) {
      parts.push(this._cluster(i, input).add(head.narrow(1, this.shortlistSize + i, 1)));
    }
    return cat.impl(parts, 1);
  }

  /**
   * The log probabilities of all classes.
   * @param input [N, inFeatures]
   * @returns [N, nClasses]
   */
  logProb(input: Tensor): Tensor {
    return this._fullLogProb(input, this.head(input));
  }

  /**
   * The class with the highest probability. Clusters are computed only for rows that need them.
   * @param input [N, inFeatures]
   * @returns [N], int64
   */
  predict(input: Tensor): Tensor {
    const scores = this.head(input);
    const best = scores.argmax(1);
    const rare = best.ge(this.shortlistSize);
    if (rare.any().item() === false) return best;
    const rows = rare.nonzero().squeeze(1);
    const classes = this._fullLogProb(input.indexSelect(0, rows), scores.indexSelect(0, rows)).argmax(1);
    return best.indexCopy(0, rows, classes);
  }
}
