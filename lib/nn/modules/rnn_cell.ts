// Single steps of recurrent networks.
import { RuntimeError } from '../../core/errors.js';
import { zeros } from '../../ops/creation.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cellStep, type Mode, type State } from '../functional/recurrent.js';
import { uniform_ } from '../init.js';
import { Module } from '../module.js';
import type { Parameter } from '../parameter.js';
import { pyBool } from '../printing.js';
import { type ArgumentsOf, type DeviceSetting, type DTypeSetting, newParameter, settings } from './arguments.js';

/**
 * What cells share. Parameters: `weight_ih` [gates hiddenSize, inputSize], `weight_hh` [gates hiddenSize, hiddenSize], and with
 * `bias` `bias_ih`, `bias_hh` [gates hiddenSize] (else null); all from U(-k, k), k = 1 / sqrt(hiddenSize).
 */
export abstract class RNNCellBase extends Module {
  inputSize: number;
  hiddenSize: number;
  bias: boolean;
  declare weight_ih: Parameter;
  declare weight_hh: Parameter;
  declare bias_ih: Parameter | null;
  declare bias_hh: Parameter | null;

  /**
   * @param inputSize features of an input
   * @param hiddenSize features of a state
   * @param bias whether both biases are there
   * @param gates how many gates there are: 1 (RNN), 3 (GRU) or 4 (LSTM)
   * @param device where the parameters are made; null: the default device
   * @param dtype their type; null: the default type
   */
  constructor(
    inputSize: number,
    hiddenSize: number,
    bias: boolean,
    gates: number,
    device: DeviceSetting,
    dtype: DTypeSetting,
  ) {
    super();
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.bias = bias;
    this.weight_ih = newParameter([gates * hiddenSize, inputSize], device, dtype);
    this.weight_hh = newParameter([gates * hiddenSize, hiddenSize], device, dtype);
    for (const name of ['bias_ih', 'bias_hh']) {
      this.registerParameter(name, bias ? newParameter([gates * hiddenSize], device, dtype) : null);
    }
    this.resetParameters();
  }

  /** Draws all parameters anew from U(-k, k), k = 1 / sqrt(hiddenSize). */
  resetParameters(): void {
    const bound = this.hiddenSize > 0 ? 1 / Math.sqrt(this.hiddenSize) : 0;
    for (const weight of this.parameters()) uniform_(weight, -bound, bound);
  }

  /** @internal One step for a batch or a single vector; null states are zeros. */
  _step(mode: Mode, input: Tensor, given: State | null, count: number): State {
    const name = this._getName();
    if (input.ndim !== 1 && input.ndim !== 2) {
      throw new RuntimeError(`${name}: Expected input to be 1D or 2D, got ${input.ndim}D instead`);
    }
    const batched = input.ndim === 2;
    given?.forEach((s, k) => {
      if (s.ndim === 1 || s.ndim === 2) return;
      const what = count === 1 ? 'hidden' : `hx[${k}]`;
      throw new RuntimeError(`${name}: Expected ${what} to be 1D or 2D, got ${s.ndim}D instead`);
    });
    const lift = (t: Tensor): Tensor => (batched ? t : t.unsqueeze(0));
    const x = lift(input);
    if (x.shape[1] !== this.inputSize) {
      throw new RuntimeError(`input has inconsistent input_size: got ${x.shape[1]} expected ${this.inputSize}`);
    }
    const state =
      given === null
        ? Array.from({ length: count }, () =>
            zeros([x.shape[0]!, this.hiddenSize], { dtype: x.dtype, device: x.device }),
          )
        : given.map(lift);
    state.forEach((s, k) => {
      if (s.shape[0] !== x.shape[0]) {
        throw new RuntimeError(`Input batch size ${x.shape[0]} doesn't match hidden${k} batch size ${s.shape[0]}`);
      }
      if (s.shape[1] !== this.hiddenSize) {
        throw new RuntimeError(
          `hidden${k} has inconsistent hidden_size: got ${s.shape[1]}, expected ${this.hiddenSize}`,
        );
      }
    });
    const weights = { ih: this.weight_ih, hh: this.weight_hh, biasIh: this.bias_ih, biasHh: this.bias_hh, hr: null };
    const next = cellStep(mode, x, state, weights);
    return batched ? next : next.map((s) => s.squeeze(0));
  }

  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.bias ? '' : `, bias=${pyBool(false)}`}`;
  }
}

const rnnCellSettings = settings<
  [
    inputSize: number,
    hiddenSize: number,
    bias: boolean,
    nonlinearity: string,
    device: DeviceSetting,
    dtype: DTypeSetting,
  ]
>()(
  "RNNCell(int inputSize, int hiddenSize, bool bias=True, str nonlinearity='tanh', Device? device=None, ScalarType? dtype=None)",
);

/**
 * One step of Elman's recurrent network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu in the place of tanh.
 * Input [B, inputSize] or [inputSize], state [B, hiddenSize] or [hiddenSize], to h' of the state's shape.
 * Parameters: `weight_ih` [hiddenSize, inputSize], `weight_hh` [hiddenSize, hiddenSize], `bias_ih`, `bias_hh` [hiddenSize].
 */
export class RNNCell extends RNNCellBase {
  nonlinearity: string;

  /**
   * @param args inputSize, hiddenSize: features of input and state; bias (default true): whether both biases are there;
   *   nonlinearity (default 'tanh', or 'relu'); device, dtype (default null: the default ones): of the parameters.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for another nonlinearity.
   */
  constructor(...args: ArgumentsOf<typeof rnnCellSettings>) {
    const [inputSize, hiddenSize, bias, nonlinearity, device, dtype] = rnnCellSettings(args);
    super(inputSize, hiddenSize, bias, 1, device, dtype);
    this.nonlinearity = nonlinearity;
  }

  /**
   * @param input [B, inputSize] or [inputSize]
   * @param hx the state before, [B, hiddenSize] or [hiddenSize]; default null: zeros.
   * @returns the state after, of that shape
   * @throws RuntimeError for sizes that do not fit.
   */
  override forward(input: Tensor, hx: Tensor | null = null): Tensor {
    const { nonlinearity } = this;
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu')
      throw new RuntimeError(`Unknown nonlinearity: ${nonlinearity}`);
    return this._step(nonlinearity === 'tanh' ? 'RNN_TANH' : 'RNN_RELU', input, hx === null ? null : [hx], 1)[0]!;
  }

  override extraRepr(): string {
    return super.extraRepr() + (this.nonlinearity === 'tanh' ? '' : `, nonlinearity=${this.nonlinearity}`);
  }
}

const cellSettings = (name: string) =>
  settings<[inputSize: number, hiddenSize: number, bias: boolean, device: DeviceSetting, dtype: DTypeSetting]>()(
    `${name}(int inputSize, int hiddenSize, bool bias=True, Device? device=None, ScalarType? dtype=None)` as 'Cell(int inputSize, int hiddenSize, bool bias=True, Device? device=None, ScalarType? dtype=None)',
  );
type CellArgumentList = ArgumentsOf<ReturnType<typeof cellSettings>>;

/**
 * One step of long short-term memory (Hochreiter and Schmidhuber, 1997); the formula is that of `LSTM`.
 * Input [B, inputSize] or [inputSize], states [h, c] of [B, hiddenSize] or [hiddenSize] each, to [h', c'].
 * Parameters: `weight_ih` [4 hiddenSize, inputSize], `weight_hh` [4 hiddenSize, hiddenSize], `bias_ih`, `bias_hh`
 * [4 hiddenSize], the gates in the order input, forget, cell, output.
 */
export class LSTMCell extends RNNCellBase {
  /**
   * @param args inputSize, hiddenSize: features of input and state; bias (default true): whether both biases are there; device,
   *   dtype (default null: the default ones): of the parameters.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: CellArgumentList) {
    const [inputSize, hiddenSize, bias, device, dtype] = cellSettings('LSTMCell')(args);
    super(inputSize, hiddenSize, bias, 4, device, dtype);
  }

  /**
   * @param input [B, inputSize] or [inputSize]
   * @param hx the states before, [h, c]; default null: zeros.
   * @returns [h, c] after the step
   * @throws RuntimeError for sizes that do not fit.
   */
  override forward(input: Tensor, hx: readonly Tensor[] | null = null): [Tensor, Tensor] {
    return this._step('LSTM', input, hx === null ? null : [...hx], 2) as [Tensor, Tensor];
  }
}

/**
 * One step of a gated recurrent unit (https://arxiv.org/abs/1406.1078); the formula is that of `GRU`.
 * Input [B, inputSize] or [inputSize], state [B, hiddenSize] or [hiddenSize], to h' of the state's shape.
 * Parameters: `weight_ih` [3 hiddenSize, inputSize], `weight_hh` [3 hiddenSize, hiddenSize], `bias_ih`, `bias_hh`
 * [3 hiddenSize], the gates in the order reset, update, new.
 */
export class GRUCell extends RNNCellBase {
  /**
   * @param args inputSize, hiddenSize: features of input and state; bias (default true): whether both biases are there; device,
   *   dtype (default null: the default ones): of the parameters.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: CellArgumentList) {
    const [inputSize, hiddenSize, bias, device, dtype] = cellSettings('GRUCell')(args);
    super(inputSize, hiddenSize, bias, 3, device, dtype);
  }

  /**
   * @param input [B, inputSize] or [inputSize]
   * @param hx the state before, [B, hiddenSize] or [hiddenSize]; default null: zeros.
   * @returns the state after, of that shape
   * @throws RuntimeError for sizes that do not fit.
   */
  override forward(input: Tensor, hx: Tensor | null = null): Tensor {
    return this._step('GRU', input, hx === null ? null : [hx], 1)[0]!;
  }
}
