// What PyTorch's modules keep beside their settings and this library computes: written for PyTorch, passed over when read.
import { Tuple } from '../../core/containers.js';
import { int64 } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { tensor } from '../../ops/creation.js';
import { ParameterDict } from '../containers/parameter_dict.js';
import { ParameterList } from '../containers/parameter_list.js';
import * as functional from '../functional/index.js';
import type { Module } from '../module.js';
import { GELU } from '../modules/activation_parametric.js';
import { ReLU } from '../modules/activation.js';
import { NormBase } from '../modules/batchnorm.js';
import { ConvNd } from '../modules/conv.js';
import { MultiheadAttention } from '../modules/multihead_attention.js';
import { RNNBase } from '../modules/rnn.js';
import { Upsample } from '../modules/shape.js';
import { TransformerEncoderLayer } from '../modules/transformer_layers.js';

type Entries = readonly (readonly [python: string, value: unknown])[];

interface Rule<M extends Module = Module> {
  readonly Class: { readonly prototype: M; [Symbol.hasInstance](value: unknown): boolean };
  /** The names that PyTorch has, all that this library passes over. */
  readonly names: readonly string[];
  /** What is written for them. */
  write(module: M): Entries;
  /** Takes what is read for them. */
  adopt?(module: M, state: ReadonlyMap<string, unknown>): void;
}

const BIASES = ['bias_k', 'bias_v'];

const rule = <M extends Module>(r: Rule<M>): Rule => r as unknown as Rule;

function rules(): Rule[] {
  return [
    rule({
      Class: ConvNd,
      names: ['_reversed_padding_repeated_twice', '_padding_repeated_twice'],
      // Left and right of each dimension, from the last one on; a list where the padding is a word.
      write: (m) => [
        ['_reversed_padding_repeated_twice', Array.isArray(m.padding) ? Tuple.from(m._padPairs) : m._padPairs],
      ],
    }),
    rule({
      Class: MultiheadAttention,
      names: ['_qkv_same_embed_dim', 'bias_k', 'bias_v'],
      write: (m) => [
        ['_qkv_same_embed_dim', m.kdim === m.embedDim && m.vdim === m.embedDim],
        // Without them PyTorch has attributes, not parameters that are None.
        ...BIASES.filter((name) => !m._parameters.get(name)).map((name) => [name, null] as const),
      ],
      adopt(m) {
        for (const name of BIASES) if (!m._parameters.has(name)) m._parameters.set(name, null);
      },
    }),
    rule({
      Class: RNNBase,
      names: ['all_weights', '_all_weights', '_flat_weights', '_flat_weights_names', '_data_ptrs', '_param_buf_size'],
      write(m) {
        const names: string[][] = [];
        for (let layer = 0; layer < m.numLayers; layer++) {
          for (let d = 0; d < (m.bidirectional ? 2 : 1); d++) names.push(m._names(layer, d));
        }
        const flat = names.flat();
        const weights = flat.map((name) => m._parameters.get(name) ?? null);
        return [
          ['_flat_weights_names', flat],
          ['_all_weights', names],
          ['_flat_weights', weights],
        ];
      },
      adopt(m) {
        for (let layer = 0; layer < m.numLayers; layer++) {
          for (const name of [...m._names(layer, 0), ...(m.bidirectional ? m._names(layer, 1) : [])]) {
            if (!m._parameters.has(name)) throw new RuntimeError(`the file holds a ${m._getName()} without '${name}'`);
          }
        }
      },
    }),
    rule({
      Class: TransformerEncoderLayer,
      names: ['activation_relu_or_gelu'],
      write({ activation: f }) {
        const [relu, gelu] = [
          f === (functional.relu as unknown) || (f as unknown) instanceof ReLU,
          f === (functional.gelu as unknown) || (f as unknown) instanceof GELU,
        ];
        return [['activation_relu_or_gelu', relu ? 1 : gelu ? 2 : 0]];
      },
    }),
    rule({ Class: Upsample, names: ['name'], write: (m) => [['name', m._getName()]] }),
    rule({
      Class: ParameterList,
      names: ['_size'],
      write: (m) => [['_size', m.length]],
      // Until version 1.11 there was no count.
      adopt(m, state) {
        const size = state.get('_size') ?? m._parameters.size;
        m._size = typeof size === 'number' && size >= 0 && size <= state.size + m._parameters.size ? size : 0;
      },
    }),
    rule({
      Class: ParameterDict,
      names: ['_keys'],
      write: (m) => [['_keys', new Map([...m.keys()].map((key) => [key, null]))]],
      adopt(m, state) {
        const keys = state.get('_keys');
        m._keys = new Set(keys !== null && typeof keys === 'object' ? Object.keys(keys) : m._parameters.keys());
      },
    }),
    rule({
      Class: NormBase,
      names: [],
      write: () => [],
      // Until version 0.4 there was no count of batches.
      adopt(m) {
        if (m.trackRunningStats && m._buffers.has('running_mean') && !m._buffers.has('num_batches_tracked')) {
          m._buffers.set('num_batches_tracked', tensor(0, { dtype: int64 }));
        }
      },
    }),
  ];
}

let all: Rule[] | undefined;

function of(module: Module): Rule[] {
  return (all ??= rules()).filter(({ Class }) => module instanceof Class);
}

/** Whether an attribute of a file is one that this library computes. */
export function isDerived(module: Module, name: string): boolean {
  return of(module).some(({ names }) => names.includes(name));
}

/** The attributes that PyTorch needs beside the settings. */
export function derived(module: Module): (readonly [string, unknown])[] {
  return of(module).flatMap((r) => [...r.write(module)]);
}

/** Whether PyTorch has an attribute where this library has a parameter that is null. */
export function isPlainNull(module: Module, name: string): boolean {
  return module instanceof MultiheadAttention && BIASES.includes(name) && !module._parameters.get(name);
}

/** Sets what depends on attributes of the file that are no settings. */
export function adopt(module: Module, state: ReadonlyMap<string, unknown>): void {
  for (const r of of(module)) r.adopt?.(module, state);
}
