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

/** What cells share. Parameters: `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` from U(-k, k), k = 1 / sqrt(hiddenSize). */
export abstract class RNNCellBase extends Module {
  inputSize: number;
  hiddenSize: number;
  bias: boolean;
  declare weight_ih: Parameter;
  declare weight_hh: Parameter;
  declare bias_ih: Parameter | null;
  declare bias_hh: Parameter | null;

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

  /** Draws new values. */
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

/** h' = tanh(W_ih x + b_ih + W_hh h + b_hh): [B, in], [B, H] (or without B) to [B, H]. */
export class RNNCell extends RNNCellBase {
  nonlinearity: string;

  /** @param args inputSize, hiddenSize; bias (default true), nonlinearity ('tanh' or 'relu'), device, dtype. */
  constructor(...args: ArgumentsOf<typeof rnnCellSettings>) {
    const [inputSize, hiddenSize, bias, nonlinearity, device, dtype] = rnnCellSettings(args);
    super(inputSize, hiddenSize, bias, 1, device, dtype);
    this.nonlinearity = nonlinearity;
  }

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

/** One step of long short-term memory: [B, in], [[B, H], [B, H]] (or without B) to [h, c]. */
export class LSTMCell extends RNNCellBase {
  /** @param args inputSize, hiddenSize; bias (default true), device, dtype. */
  constructor(...args: CellArgumentList) {
    const [inputSize, hiddenSize, bias, device, dtype] = cellSettings('LSTMCell')(args);
    super(inputSize, hiddenSize, bias, 4, device, dtype);
  }

  override forward(input: Tensor, hx: readonly Tensor[] | null = null): [Tensor, Tensor] {
    return this._step('LSTM', input, hx === null ? null : [...hx], 2) as [Tensor, Tensor];
  }
}

/** One step of a gated recurrent unit: [B, in], [B, H] (or without B) to [B, H]. */
export class GRUCell extends RNNCellBase {
  /** @param args inputSize, hiddenSize; bias (default true), device, dtype. */
  constructor(...args: CellArgumentList) {
    const [inputSize, hiddenSize, bias, device, dtype] = cellSettings('GRUCell')(args);
    super(inputSize, hiddenSize, bias, 3, device, dtype);
  }

  override forward(input: Tensor, hx: Tensor | null = null): Tensor {
    return this._step('GRU', input, hx === null ? null : [hx], 1)[0]!;
  }
}
