// Folding a batch normalization in evaluation mode into the layer before it.
import { RuntimeError } from '../../core/errors.js';
import { onesLike, zerosLike } from '../../ops/creation.js';
import { fnOp } from '../../ops/define.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { deepcopy } from '../module_copy.js';
import { Parameter } from '../parameter.js';
import { neededModule } from './named_tensor.js';

/** A layer with a weight and perhaps a bias. */
interface Weighted extends Module {
  weight: Parameter;
  bias: Parameter | null;
}
/** A batch normalization. */
interface BatchNorm extends Module {
  running_mean: Tensor | null;
  running_var: Tensor | null;
  weight: Parameter | null;
  bias: Parameter | null;
  eps: number;
  numFeatures: number;
}
type Statistics = BatchNorm & { running_mean: Tensor; running_var: Tensor };

function checkEval(fn: string, layer: [name: string, module: Module], bn: Module): void {
  neededModule(fn, layer[1], layer[0]);
  neededModule(fn, bn, 'bn');
  if (layer[1].training || bn.training) throw new RuntimeError('Fusion only for eval!');
}
function checkStatistics(bn: BatchNorm): asserts bn is Statistics {
  if (bn.running_mean === null || bn.running_var === null) {
    throw new RuntimeError('bn.running_mean and bn.running_var must not be None');
  }
}

/**
 * The weight and bias of a convolution that does what a convolution and a batch normalization after it do:
 * W bnW / sqrt(bnRv + bnEps) and (b - bnRm) bnW / sqrt(bnRv + bnEps) + bnB.
 * @param convW [out, in / groups, ..], or [in, out / groups, ..] with `transpose`
 * @param convB [out], or null for zeros
 * @param bnRm [out]: running mean
 * @param bnRv [out]: running variance
 * @param bnEps what is added to the variance
 * @param bnW [out], or null for ones
 * @param bnB [out], or null for zeros
 * @param transpose whether the convolution is a transposed one (default false)
 * @returns [weight of convW's shape and type, bias [out]], Parameters
 */
export const fuseConvBnWeights = fnOp(
  'fuseConvBnWeights(Tensor convW, Tensor? convB, Tensor bnRm, Tensor bnRv, float bnEps, Tensor? bnW, Tensor? bnB, bool transpose=False)',
  (
    convW: Tensor,
    convB: Tensor | null,
    bnRm: Tensor,
    bnRv: Tensor,
    bnEps: number,
    bnW: Tensor | null,
    bnB: Tensor | null,
    transpose: boolean,
  ): [weight: Parameter, bias: Parameter] => {
    const biasType = convB?.dtype ?? convW.dtype;
    const bias = convB ?? zerosLike(bnRm);
    const gain = bnW ?? onesLike(bnRm);
    const inverseStd = bnRv.add(bnEps).rsqrt();
    const ones = new Array<number>(convW.ndim - 2).fill(1);
    const scale = gain.mul(inverseStd).reshape(transpose ? [1, -1, ...ones] : [-1, 1, ...ones]);
    const weight = convW.mul(scale).to(convW.dtype);
    const shifted = bias
      .sub(bnRm)
      .mul(inverseStd)
      .mul(gain)
      .add(bnB ?? zerosLike(bnRm))
      .to(biasType);
    return [new Parameter(weight, convW.requiresGrad), new Parameter(shifted, bias.requiresGrad)];
  },
);

/**
 * A convolution that does what `conv` and then `bn` do, both in evaluation mode. Neither is changed.
 * @param conv the convolution
 * @param bn the batch normalization behind it, with running statistics
 * @param transpose whether `conv` is a transposed convolution; default false. Also as `{ transpose }`.
 * @returns a copy of `conv` with other weights
 * @throws RuntimeError in training mode, or without running statistics.
 */
export function fuseConvBnEval<C extends Module>(
  conv: C,
  bn: Module,
  transpose: boolean | { transpose?: boolean } = false,
): C {
  checkEval('fuseConvBnEval', ['conv', conv], bn);
  const norm = bn as BatchNorm;
  const fused = deepcopy(conv);
  const layer = fused as unknown as Weighted;
  checkStatistics(norm);
  const [weight, bias] = fuseConvBnWeights(
    layer.weight,
    layer.bias,
    norm.running_mean,
    norm.running_var,
    norm.eps,
    norm.weight,
    norm.bias,
    typeof transpose === 'boolean' ? transpose : (transpose.transpose ?? false),
  );
  layer.weight = weight;
  layer.bias = bias;
  return fused;
}

/**
 * The weight and bias of a linear layer that does what a linear layer and a batch normalization after it do:
 * W bnW / sqrt(bnRv + bnEps) and (b - bnRm) bnW / sqrt(bnRv + bnEps) + bnB.
 * @param linearW [out, in]
 * @param linearB [out], or null for zeros
 * @param bnRm [out] or [1]: running mean
 * @param bnRv [out] or [1]: running variance
 * @param bnEps what is added to the variance
 * @param bnW [out] or [1]
 * @param bnB [out] or [1]
 * @returns [weight [out, in], bias [out]], Parameters
 */
export const fuseLinearBnWeights = fnOp(
  'fuseLinearBnWeights(Tensor linearW, Tensor? linearB, Tensor bnRm, Tensor bnRv, float bnEps, Tensor bnW, Tensor bnB)',
  (
    linearW: Tensor,
    linearB: Tensor | null,
    bnRm: Tensor,
    bnRv: Tensor,
    bnEps: number,
    bnW: Tensor,
    bnB: Tensor,
  ): [weight: Parameter, bias: Parameter] => {
    const biasType = linearB?.dtype ?? linearW.dtype;
    const bias = linearB ?? zerosLike(bnRm);
    const scale = bnW.mul(bnRv.add(bnEps).rsqrt());
    const weight = linearW.mul(scale.unsqueeze(-1).to(linearW.dtype));
    const shifted = bias.sub(bnRm).mul(scale).add(bnB).to(biasType);
    return [new Parameter(weight, linearW.requiresGrad), new Parameter(shifted, bias.requiresGrad)];
  },
);

/**
 * A linear layer that does what `linear` and then `bn` do, both in evaluation mode. Neither is changed.
 * @param linear the linear layer
 * @param bn the batch normalization behind it, with parameters and running statistics, of as many features or one
 * @returns a copy of `linear` with other weights
 * @throws RuntimeError in training mode, without running statistics, or if the numbers of features differ; TypeError for a batch
 *   normalization without parameters.
 */
export function fuseLinearBnEval<L extends Module>(linear: L, bn: Module): L {
  checkEval('fuseLinearBnEval', ['linear', linear], bn);
  const norm = bn as BatchNorm;
  const fused = deepcopy(linear);
  const layer = fused as unknown as Weighted & { outFeatures: number };
  if (layer.outFeatures !== norm.numFeatures && norm.numFeatures !== 1) {
    throw new RuntimeError(
      'To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got ' +
        `linear.out_features=${layer.outFeatures} and bn.num_features=${norm.numFeatures}`,
    );
  }
  checkStatistics(norm);
  const [weight, bias] = fuseLinearBnWeights(
    layer.weight,
    layer.bias,
    norm.running_mean,
    norm.running_var,
    norm.eps,
    norm.weight as Tensor,
    norm.bias as Tensor,
  );
  layer.weight = weight;
  layer.bias = bias;
  return fused;
}
