// Recurrent layers.
import { kindOf, RuntimeError } from '../../core/errors.js';
import { zeros } from '../../ops/creation.js';
import { indexSelect } from '../../ops/index_along.js';
import { asNumbers, type Tensor } from '../../tensor/tensor.js';
import { type Mode, runLayers, type State, type Weights } from '../functional/recurrent.js';
import { uniform_ } from '../init.js';
import { Module } from '../module.js';
import type { Parameter } from '../parameter.js';
import { pyBool, pyFloat } from '../printing.js';
import { PackedSequence } from '../utils/rnn.js';
import { warn } from '../warn.js';
import { type ArgumentsOf, type DeviceSetting, type DTypeSetting, newParameter, settings } from './arguments.js';

/** The settings that all recurrent layers have. */
export interface RNNSettings {
  inputSize: number;
  hiddenSize: number;
  numLayers: number;
  bias: boolean;
  batchFirst: boolean;
  dropout: number;
  bidirectional: boolean;
  projSize: number;
  device: DeviceSetting;
  dtype: DTypeSetting;
}

const GATES: Record<Mode, number> = { RNN_TANH: 1, RNN_RELU: 1, LSTM: 4, GRU: 3 };

function checkSettings(s: RNNSettings): void {
  const { dropout, numLayers } = s;
  if (!(dropout >= 0 && dropout <= 1)) {
    throw new RuntimeError(
      'dropout should be a number in range [0, 1] representing the probability of an element being zeroed',
    );
  }
  if (dropout > 0 && numLayers === 1) {
    warn(
      `dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers greater than 1, but got dropout=${dropout} and num_layers=${numLayers}`,
    );
  }
  if (s.inputSize <= 0) throw new RuntimeError('input_size must be greater than zero');
  if (s.hiddenSize <= 0) throw new RuntimeError('hidden_size must be greater than zero');
  if (numLayers <= 0) throw new RuntimeError('num_layers must be greater than zero');
  if (s.projSize < 0) throw new RuntimeError('proj_size should be a positive integer or zero to disable projections');
  if (s.projSize >= s.hiddenSize) throw new RuntimeError('proj_size has to be smaller than hidden_size');
}

const sizeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/**
 * What recurrent layers share: settings, checks, packed and padded batches. For each layer k there are the parameters
 * `weight_ih_l{k}` [gates hiddenSize, in], `weight_hh_l{k}` [gates hiddenSize, out], `bias_ih_l{k}`, `bias_hh_l{k}`
 * [gates hiddenSize] (with `bias`) and, with projections, `weight_hr_l{k}` [projSize, hiddenSize]; those of the second direction
 * end in `_reverse`. There are 1 (RNN), 3 (GRU: reset, update, new) or 4 (LSTM: input, forget, cell, output) gates; `in` is
 * inputSize for k = 0, then out times the directions; `out` is projSize, or hiddenSize without projections.
 * All start from U(-k, k), k = 1 / sqrt(hiddenSize).
 */
export abstract class RNNBase extends Module {
  mode: Mode;
  inputSize: number;
  hiddenSize: number;
  numLayers: number;
  bias: boolean;
  batchFirst: boolean;
  dropout: number;
  bidirectional: boolean;
  projSize: number;

  /**
   * @param mode 'RNN_TANH', 'RNN_RELU', 'LSTM' or 'GRU'
   * @param s the settings, complete
   * @throws RuntimeError for sizes or a number of layers that are not positive, a dropout outside of [0, 1], or a projSize that
   *   is negative or not below hiddenSize. Dropout with a single layer only warns.
   */
  constructor(mode: Mode, s: RNNSettings) {
    if (typeof s !== 'object' || s === null)
      throw new TypeError(`RNNBase(): argument 's' must be the settings of a layer, not ${kindOf(s)}`);
    super();
    checkSettings(s);
    this.mode = mode;
    this.inputSize = s.inputSize;
    this.hiddenSize = s.hiddenSize;
    this.numLayers = s.numLayers;
    this.bias = s.bias;
    this.batchFirst = s.batchFirst;
    this.dropout = s.dropout;
    this.bidirectional = s.bidirectional;
    this.projSize = s.projSize;
    const directions = s.bidirectional ? 2 : 1;
    const out = s.projSize > 0 ? s.projSize : s.hiddenSize;
    const gates = GATES[mode] * s.hiddenSize;
    for (let layer = 0; layer < s.numLayers; layer++) {
      const inputs = layer === 0 ? s.inputSize : out * directions;
      for (let d = 0; d < directions; d++) {
        const names = this._names(layer, d);
        const shapes = [
          [gates, inputs],
          [gates, out],
          ...(s.bias ? [[gates], [gates]] : []),
          [s.projSize, s.hiddenSize],
        ];
        names.forEach((name, i) => this.registerParameter(name, newParameter(shapes[i]!, s.device, s.dtype)));
      }
    }
    this.resetParameters();
  }

  /** @internal The names of the parameters of one layer and direction. */
  _names(layer: number, direction: number): string[] {
    const tail = `_l${layer}${direction === 1 ? '_reverse' : ''}`;
    const kinds = ['weight_ih', 'weight_hh'];
    if (this.bias) kinds.push('bias_ih', 'bias_hh');
    if (this.projSize > 0) kinds.push('weight_hr');
    return kinds.map((kind) => kind + tail);
  }

  /** The parameters, a list for each layer and direction: input, hidden, their biases, projection. */
  get allWeights(): Parameter[][] {
    const lists: Parameter[][] = [];
    for (let layer = 0; layer < this.numLayers; layer++) {
      for (let d = 0; d < (this.bidirectional ? 2 : 1); d++) {
        lists.push(this._names(layer, d).map((name) => (this as unknown as Record<string, Parameter>)[name]!));
      }
    }
    return lists;
  }

  /** Draws all parameters anew from U(-k, k), k = 1 / sqrt(hiddenSize). */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.hiddenSize);
    for (const weight of this.parameters()) uniform_(weight, -bound, bound);
  }

  /** Does nothing: parameters need no particular place in memory. */
  flattenParameters(): void {}

  /** @internal */
  _weights(): Weights[] {
    return this.allWeights.map((list) => ({
      ih: list[0]!,
      hh: list[1]!,
      biasIh: this.bias ? list[2]! : null,
      biasHh: this.bias ? list[3]! : null,
      hr: this.projSize > 0 ? list[list.length - 1]! : null,
    }));
  }

  /** @internal Throws unless input and states fit. `batch` is the number of sequences. */
  _check(input: Tensor, state: State, batch: number, packed: boolean): void {
    const weight = this.allWeights[0]![0]!;
    if (input.dtype !== weight.dtype) {
      throw new RuntimeError(
        `RNN input dtype (${String(input.dtype)}) does not match weight dtype (${String(weight.dtype)}). Convert input: input.to(${String(weight.dtype)}), or convert model: model.to(${String(input.dtype)})`,
      );
    }
    const ndim = packed ? 2 : 3;
    if (input.ndim !== ndim) throw new RuntimeError(`input must have ${ndim} dimensions, got ${input.ndim}`);
    if (input.size(-1) !== this.inputSize) {
      throw new RuntimeError(
        `input.size(-1) must be equal to input_size. Expected ${this.inputSize}, got ${input.size(-1)}`,
      );
    }
    const lead = this.numLayers * (this.bidirectional ? 2 : 1);
    state.forEach((s, k) => {
      const expected = [lead, batch, k === 0 && this.projSize > 0 ? this.projSize : this.hiddenSize];
      if (s.shape.join() === expected.join()) return;
      const what = state.length === 1 ? 'hidden size' : `hidden[${k}] size`;
      throw new RuntimeError(`Expected ${what} (${expected.join(', ')}), got ${sizeText(s.shape)}`);
    });
  }

  /** @internal States of zeros. */
  _zeroState(count: number, batch: number, like: Tensor): State {
    const lead = this.numLayers * (this.bidirectional ? 2 : 1);
    return Array.from({ length: count }, (_, k) =>
      zeros([lead, batch, k === 0 && this.projSize > 0 ? this.projSize : this.hiddenSize], {
        dtype: like.dtype,
        device: like.device,
      }),
    );
  }

  /** @internal Checks that states have one dimension less without a batch, and adds it. */
  _liftState(state: State, batched: boolean): State {
    const n = batched ? 3 : 2;
    if (state.some((s) => s.ndim !== n)) {
      const kind = batched ? 'batched 3-D' : 'unbatched 2-D';
      const found = state.map((s) => `${s.ndim}-D`);
      throw new RuntimeError(
        state.length === 1
          ? `For ${kind} input, hx should also be ${n}-D but got ${found[0]} tensor`
          : `For ${kind} input, hx and cx should also be ${n}-D but got (${found.join(', ')}) tensors`,
      );
    }
    return batched ? state : state.map((s) => s.unsqueeze(1));
  }

  /** @internal The layers on a padded or packed batch; null states are zeros. */
  _run(input: Tensor | PackedSequence, given: State | null, count: number): [Tensor | PackedSequence, State] {
    const dropout = this.training ? this.dropout : 0;
    const options = { mode: this.mode, weights: this._weights(), bidirectional: this.bidirectional, dropout };
    if (input instanceof PackedSequence) {
      const { data, batchSizes, sortedIndices, unsortedIndices } = input;
      const sizes = Array.from(asNumbers(batchSizes), Number);
      const order = (state: State, by: Tensor | null): State =>
        by === null ? state : state.map((s) => indexSelect.impl(s, 1, by));
      const state = given === null ? this._zeroState(count, sizes[0]!, data) : order(given, sortedIndices);
      this._check(data, state, sizes[0]!, true);
      const [y, end] = runLayers(data, state, { ...options, sizes });
      return [new PackedSequence(y, batchSizes, sortedIndices, unsortedIndices), order(end, unsortedIndices)];
    }
    if (input.ndim !== 2 && input.ndim !== 3) {
      throw new RuntimeError(`${this._getName()}: Expected input to be 2D or 3D, got ${input.ndim}D instead`);
    }
    const batched = input.ndim === 3;
    const batchDim = this.batchFirst ? 0 : 1;
    const x = batched ? input : input.unsqueeze(batchDim);
    const batch = x.shape[batchDim]!;
    const state = given === null ? this._zeroState(count, batch, x) : this._liftState(given, batched);
    this._check(x, state, batch, false);
    if (x.shape[1 - batchDim] === 0) throw new RuntimeError('Expected sequence length to be larger than 0 in RNN');
    const [y, end] = runLayers(this.batchFirst ? x.transpose(0, 1) : x, state, { ...options, sizes: null });
    const out = this.batchFirst ? y.transpose(0, 1) : y;
    return batched ? [out, end] : [out.squeeze(batchDim), end.map((s) => s.squeeze(1))];
  }

  override extraRepr(): string {
    let text = `${this.inputSize}, ${this.hiddenSize}`;
    if (this.projSize !== 0) text += `, proj_size=${this.projSize}`;
    if (this.numLayers !== 1) text += `, num_layers=${this.numLayers}`;
    if (!this.bias) text += `, bias=${pyBool(false)}`;
    if (this.batchFirst) text += `, batch_first=${pyBool(true)}`;
    if (this.dropout !== 0) text += `, dropout=${pyFloat(this.dropout)}`;
    if (this.bidirectional) text += `, bidirectional=${pyBool(true)}`;
    return text;
  }
}

type Common = [
  inputSize: number,
  hiddenSize: number,
  numLayers: number,
  bias: boolean,
  batchFirst: boolean,
  dropout: number,
  bidirectional: boolean,
];
function common(
  a: readonly [...Common, ...unknown[]],
  projSize: number,
  device: DeviceSetting,
  dtype: DTypeSetting,
): RNNSettings {
  const [inputSize, hiddenSize, numLayers, bias, batchFirst, dropout, bidirectional] = a;
  return { inputSize, hiddenSize, numLayers, bias, batchFirst, dropout, bidirectional, projSize, device, dtype };
}

const rnnSettings = settings<
  [
    inputSize: number,
    hiddenSize: number,
    numLayers: number,
    nonlinearity: string,
    bias: boolean,
    batchFirst: boolean,
    dropout: number,
    bidirectional: boolean,
    device: DeviceSetting,
    dtype: DTypeSetting,
  ]
>()(
  "RNN(int inputSize, int hiddenSize, int numLayers=1, str nonlinearity='tanh', bool bias=True, bool batchFirst=False, float dropout=0, bool bidirectional=False, Device? device=None, ScalarType? dtype=None)",
);

export interface RNN {
  /** A packed batch gives a packed batch. */
  (input: PackedSequence, hx?: Tensor | null): [PackedSequence, Tensor];
  (input: Tensor, hx?: Tensor | null): [Tensor, Tensor];
}

/**
 * Recurrent layers of Elman: h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), or relu in the place of tanh. A layer's input is
 * the output of the one below; a second direction reads from the end, and its outputs are joined to those of the first.
 * Input [T, B, inputSize] ([B, T, inputSize] with `batchFirst`, [T, inputSize] without a batch, or a PackedSequence) to
 * [output, h]: output [T, B, D hiddenSize] (laid out as the input), D = 2 with `bidirectional`, else 1, and the final states
 * h [numLayers D, B, hiddenSize]. Parameters: see `RNNBase`.
 */
export class RNN extends RNNBase {
  nonlinearity: string;

  /**
   * @param args inputSize, hiddenSize: features of inputs and states; numLayers (default 1); nonlinearity (default 'tanh', or
   *   'relu'); bias (default true): whether both biases are there; batchFirst (default false): whether the batch comes before the
   *   time; dropout (default 0): the probability of dropping outputs between layers, in training; bidirectional (default false);
   *   device, dtype (default null: the default ones): of the parameters.
   * @throws RuntimeError for settings out of range, TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof rnnSettings>) {
    const [inputSize, hiddenSize, numLayers, nonlinearity, ...rest] = rnnSettings(args);
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu') {
      throw new RuntimeError(`Unknown nonlinearity '${nonlinearity}'. Select from 'tanh' or 'relu'.`);
    }
    const [bias, batchFirst, dropout, bidirectional, device, dtype] = rest;
    const shared: Common = [inputSize, hiddenSize, numLayers, bias, batchFirst, dropout, bidirectional];
    super(nonlinearity === 'tanh' ? 'RNN_TANH' : 'RNN_RELU', common(shared, 0, device, dtype));
    this.nonlinearity = nonlinearity;
  }

  /**
   * @param input [T, B, inputSize], [B, T, inputSize] with `batchFirst`, [T, inputSize], or a PackedSequence
   * @param hx the states before, [numLayers D, B, hiddenSize] (without B for an input without it); default null: zeros.
   * @returns [outputs of the last layer at all times, final states of all layers]; a packed input gives a packed output.
   * @throws RuntimeError for an input or states of other sizes or another type, and for a sequence without elements.
   */
  override forward(input: PackedSequence, hx?: Tensor | null): [PackedSequence, Tensor];
  override forward(input: Tensor, hx?: Tensor | null): [Tensor, Tensor];
  override forward(input: Tensor | PackedSequence, hx: Tensor | null = null): [Tensor | PackedSequence, Tensor] {
    const [y, end] = this._run(input, hx === null ? null : [hx], 1);
    return [y, end[0]!];
  }
}

const gruSettings = settings<[...Common, device: DeviceSetting, dtype: DTypeSetting]>()(
  'GRU(int inputSize, int hiddenSize, int numLayers=1, bool bias=True, bool batchFirst=False, float dropout=0, bool bidirectional=False, Device? device=None, ScalarType? dtype=None)',
);

export interface GRU {
  /** A packed batch gives a packed batch. */
  (input: PackedSequence, hx?: Tensor | null): [PackedSequence, Tensor];
  (input: Tensor, hx?: Tensor | null): [Tensor, Tensor];
}

/**
 * Layers of gated recurrent units (https://arxiv.org/abs/1406.1078):
 * r = sigmoid(W_ir x + b_ir + W_hr h + b_hr), z = sigmoid(W_iz x + b_iz + W_hz h + b_hz),
 * n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (1 - z) n + z h.
 * Inputs, outputs and states are those of `RNN`. Parameters: see `RNNBase`; the gates come in the order r, z, n.
 */
export class GRU extends RNNBase {
  /**
   * @param args as for `RNN`, without a nonlinearity: inputSize, hiddenSize; numLayers (default 1), bias (true), batchFirst
   *   (false), dropout (0), bidirectional (false), device, dtype (null).
   * @throws RuntimeError for settings out of range, TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof gruSettings>) {
    const a = gruSettings(args);
    super('GRU', common(a, 0, a[7], a[8]));
  }

  /**
   * @param input as for `RNN`
   * @param hx the states before, [numLayers D, B, hiddenSize] (without B for an input without it); default null: zeros.
   * @returns [outputs of the last layer at all times, final states of all layers]; a packed input gives a packed output.
   * @throws RuntimeError for an input or states of other sizes or another type, and for a sequence without elements.
   */
  override forward(input: PackedSequence, hx?: Tensor | null): [PackedSequence, Tensor];
  override forward(input: Tensor, hx?: Tensor | null): [Tensor, Tensor];
  override forward(input: Tensor | PackedSequence, hx: Tensor | null = null): [Tensor | PackedSequence, Tensor] {
    const [y, end] = this._run(input, hx === null ? null : [hx], 1);
    return [y, end[0]!];
  }
}

const lstmSettings = settings<[...Common, projSize: number, device: DeviceSetting, dtype: DTypeSetting]>()(
  'LSTM(int inputSize, int hiddenSize, int numLayers=1, bool bias=True, bool batchFirst=False, float dropout=0, bool bidirectional=False, int projSize=0, Device? device=None, ScalarType? dtype=None)',
);

/** An LSTM's hidden state and cell: [h, c]. */
export type LSTMState = readonly [Tensor, Tensor] | readonly Tensor[];

export interface LSTM {
  /** A packed batch gives a packed batch. */
  (input: PackedSequence, hx?: LSTMState | null): [PackedSequence, [Tensor, Tensor]];
  (input: Tensor, hx?: LSTMState | null): [Tensor, [Tensor, Tensor]];
}

/**
 * Layers of long short-term memory (Hochreiter and Schmidhuber, 1997): with i, f, o = sigmoid(W x + b + U h + d) and
 * g = tanh(W x + b + U h + d), each with weights of its own, c' = f c + i g and h' = o tanh(c'); with projections
 * h' = W_hr (o tanh(c')) (https://arxiv.org/abs/1402.1128).
 * Input [T, B, inputSize] ([B, T, inputSize] with `batchFirst`, [T, inputSize] without a batch, or a PackedSequence) to
 * [output, [h, c]]: output [T, B, D out] (laid out as the input), h [numLayers D, B, out], c [numLayers D, B, hiddenSize], where
 * D = 2 with `bidirectional`, else 1, and out is projSize, or hiddenSize without projections.
 * Parameters: see `RNNBase`; the gates come in the order i, f, g, o.
 */
export class LSTM extends RNNBase {
  /**
   * @param args as for `RNN`: inputSize, hiddenSize; numLayers (default 1), bias (true), batchFirst (false), dropout (0),
   *   bidirectional (false), projSize (default 0: none; else the size of h after a projection, below
   *   hiddenSize), device, dtype (null).
   * @throws RuntimeError for settings out of range, TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof lstmSettings>) {
    const a = lstmSettings(args);
    super('LSTM', common(a, a[7], a[8], a[9]));
  }

  /**
   * @param input as for `RNN`
   * @param hx the states before: h [numLayers D, B, out] and c [numLayers D, B, hiddenSize] (without B for an input without it);
   *   default null: zeros.
   * @returns [outputs of the last layer at all times, [h, c] at the end]; a packed input gives a packed output.
   * @throws RuntimeError for an input or states of other sizes or another type, and for a sequence without elements.
   */
  override forward(input: PackedSequence, hx?: LSTMState | null): [PackedSequence, [Tensor, Tensor]];
  override forward(input: Tensor, hx?: LSTMState | null): [Tensor, [Tensor, Tensor]];
  override forward(
    input: Tensor | PackedSequence,
    hx: LSTMState | null = null,
  ): [Tensor | PackedSequence, [Tensor, Tensor]] {
    const [y, end] = this._run(input, hx === null ? null : [...hx], 2);
    return [y, end as [Tensor, Tensor]];
  }
}
