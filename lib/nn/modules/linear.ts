// Linear layers.
import { noGrad } from '../../autograd/mode.js';
import { RuntimeError } from '../../core/errors.js';
import { linear } from '../../ops/matmul.js';
import type { Tensor } from '../../tensor/tensor.js';
import { bilinear } from '../functional/linear.js';
import { _calculateFanInAndFanOut, kaimingUniform_, uniform_ } from '../init.js';
import { Module } from '../module.js';
import { makeLazy } from '../module_lazy.js';
import { isLazy, type Parameter, UninitializedParameter } from '../parameter.js';
import { pyBool } from '../printing.js';
import { type ArgumentsOf, type DeviceSetting, type DTypeSetting, newParameter, settings } from './arguments.js';

export interface Identity {
  // biome-ignore lint/style/useShorthandFunctionType: an interface merges with the class, a type does not
  <T>(input: T): T;
}

/** Gives back what it gets, of whatever kind and shape: a placeholder in models. It has no parameters. */
export class Identity extends Module {
  /** @param _ignored any arguments (default none); they are ignored, so that it can stand in for any other layer. */
  constructor(..._ignored: unknown[]) {
    super();
  }

  override forward<T>(input: T): T {
    return input;
  }
}

const linearSettings = settings<
  [inFeatures: number, outFeatures: number, bias: boolean, device: DeviceSetting, dtype: DTypeSetting]
>()('Linear(int inFeatures, int outFeatures, bool bias=True, Device? device=None, ScalarType? dtype=None)');

/**
 * An affine map of the last dimension: y = x weight^T + bias.
 * Input [.., inFeatures], floating-point or complex, to output [.., outFeatures].
 * Parameters: `weight` [outFeatures, inFeatures], `bias` [outFeatures] (null without); both start from U(-k, k),
 * k = 1 / sqrt(inFeatures).
 */
export class Linear extends Module {
  inFeatures: number;
  outFeatures: number;
  declare weight: Parameter;
  declare bias: Parameter | null;

  /**
   * @param args inFeatures, outFeatures: the last size before and after; bias (default true): whether one is added; device, dtype
   *   (default null: the default ones): of the parameters.
   * @throws TypeError for arguments that do not fit; RuntimeError for negative sizes. The call throws RuntimeError for an input
   *   whose last size is not inFeatures.
   */
  constructor(...args: ArgumentsOf<typeof linearSettings>) {
    super();
    const [inFeatures, outFeatures, bias, device, dtype] = linearSettings(args);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = newParameter([outFeatures, inFeatures], device, dtype);
    if (bias) this.bias = newParameter([outFeatures], device, dtype);
    else this.registerParameter('bias', null);
    this.resetParameters();
  }

  /** Draws weight and bias anew from U(-k, k), k = 1 / sqrt(inFeatures). */
  resetParameters(): void {
    // Kaiming with a = sqrt(5) is U(-1 / sqrt(in), 1 / sqrt(in)).
    kaimingUniform_(this.weight, Math.sqrt(5));
    if (this.bias === null) return;
    const [fanIn] = _calculateFanInAndFanOut(this.weight);
    const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
    uniform_(this.bias, -bound, bound);
  }

  override forward(input: Tensor): Tensor {
    return linear.impl(input, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${pyBool(this.bias !== null)}`;
  }
}

/**
 * The linear layer of attention's output, whose weights PyTorch's dynamic quantization leaves alone; it
 * computes what `Linear` does.
 */
export class NonDynamicallyQuantizableLinear extends Linear {}

const bilinearSettings = settings<
  [
    in1Features: number,
    in2Features: number,
    outFeatures: number,
    bias: boolean,
    device: DeviceSetting,
    dtype: DTypeSetting,
  ]
>()(
  'Bilinear(int in1Features, int in2Features, int outFeatures, bool bias=True, Device? device=None, ScalarType? dtype=None)',
);

/**
 * A bilinear map of two vectors: y_k = x1^T weight_k x2 + bias_k.
 * Inputs [.., in1Features] and [.., in2Features], equal in all other sizes, to output [.., outFeatures].
 * Parameters: `weight` [outFeatures, in1Features, in2Features], `bias` [outFeatures] (null without); both start from U(-k, k),
 * k = 1 / sqrt(in1Features).
 */
export class Bilinear extends Module {
  in1Features: number;
  in2Features: number;
  outFeatures: number;
  declare weight: Parameter;
  declare bias: Parameter | null;

  /**
   * @param args in1Features, in2Features, outFeatures: the last sizes of both inputs and of the output; bias (default true):
   *   whether one is added; device, dtype (default null: the default ones): of the parameters.
   * @throws TypeError for arguments that do not fit; RuntimeError unless in1Features is positive, as the call does for inputs
   *   that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof bilinearSettings>) {
    super();
    const [in1, in2, out, bias, device, dtype] = bilinearSettings(args);
    if (in1 <= 0) throw new RuntimeError(`in1_features must be > 0, but got (in1_features=${in1})`);
    this.in1Features = in1;
    this.in2Features = in2;
    this.outFeatures = out;
    this.weight = newParameter([out, in1, in2], device, dtype);
    if (bias) this.bias = newParameter([out], device, dtype);
    else this.registerParameter('bias', null);
    this.resetParameters();
  }

  /** Draws weight and bias anew from U(-k, k), k = 1 / sqrt(in1Features). */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.weight.size(1));
    uniform_(this.weight, -bound, bound);
    if (this.bias !== null) uniform_(this.bias, -bound, bound);
  }

  override forward(input1: Tensor, input2: Tensor): Tensor {
    return bilinear.impl(input1, input2, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `in1_features=${this.in1Features}, in2_features=${this.in2Features}, out_features=${this.outFeatures}, bias=${pyBool(this.bias !== null)}`;
  }
}

const lazyLinearSettings = settings<[outFeatures: number, bias: boolean, device: DeviceSetting, dtype: DTypeSetting]>()(
  'LazyLinear(int outFeatures, bool bias=True, Device? device=None, ScalarType? dtype=None)',
);

/**
 * A `Linear` whose inFeatures are the last size of its first input: with the first call its parameters get their shapes and
 * values, and it becomes a `Linear`. Until then `weight` and `bias` are `UninitializedParameter`s.
 */
export class LazyLinear extends Linear {
  /**
   * @param args outFeatures: the last size of the output; bias (default true), device, dtype (default null): as for `Linear`.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof lazyLinearSettings>) {
    const [outFeatures, bias, device, dtype] = lazyLinearSettings(args);
    // Without a bias and of size zero, so that nothing is drawn.
    super(0, 0, false);
    this.weight = new UninitializedParameter({ device, dtype });
    this.outFeatures = outFeatures;
    if (bias) this.bias = new UninitializedParameter({ device, dtype });
    makeLazy(this, Linear);
  }

  override resetParameters(): void {
    if (this.inFeatures !== 0 && !isLazy(this.weight)) super.resetParameters();
  }

  /**
   * Gives the parameters their shapes and values; the first call does it, and a loaded state dict makes it needless.
   * @param input the first call's input: [.., inFeatures].
   */
  initializeParameters(input: unknown): void {
    if (!isLazy(this.weight)) {
      // A loaded state dict gave the shapes.
      if (this.inFeatures === 0) this.inFeatures = this.weight.size(-1);
      return;
    }
    const { weight, bias } = this;
    noGrad(() => {
      this.inFeatures = (input as Tensor).size(-1);
      (weight as UninitializedParameter).materialize([this.outFeatures, this.inFeatures]);
      if (isLazy(bias)) (bias as UninitializedParameter).materialize([this.outFeatures]);
      this.resetParameters();
    });
  }
}
