// The order in memory of the weights of convolutions.
import { RuntimeError } from '../../core/errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d } from '../modules/index.js';
import type { Parameter } from '../parameter.js';

/** How many dimensions a tensor must have whose channels come last in memory. */
const RANKS: Readonly<Record<string, number>> = { channelsLast: 4, channelsLast3d: 5 };

/** A copy of [N, C, ..] with other strides: with a format of channels last, memory holds [N, .., C]. */
function inFormat(weight: Tensor, format: string): Tensor {
  if (format === 'preserveFormat') return weight.clone();
  if (format === 'contiguousFormat') return weight.clone('contiguousFormat');
  const rank = RANKS[format];
  if (rank === undefined) throw new TypeError(`memoryFormat must be a memory format of torch, not ${String(format)}`);
  if (weight.ndim !== rank) {
    throw new RuntimeError(
      `required rank ${rank} tensor to use ${rank === 4 ? 'channels_last' : 'channels_last_3d'} format`,
    );
  }
  const spatial = Array.from({ length: rank - 2 }, (_, d) => d + 2);
  const back = [0, rank - 1, ...spatial.map((d) => d - 1)];
  return weight
    .permute([0, ...spatial, 1])
    .clone('contiguousFormat')
    .permute(back);
}

function convert<M extends Module>(module: M, format: string, isMeant: (part: Module) => boolean): M {
  for (const part of module.modules()) {
    if (!isMeant(part)) continue;
    const { weight } = part as unknown as { weight: Parameter };
    weight.data = inFormat(weight.detach(), format);
  }
  return module;
}

/**
 * Lays the weights of all Conv2d and ConvTranspose2d in and below a module out anew; their values stay.
 * @param memoryFormat `torch.channelsLast`, `torch.contiguousFormat` or `torch.preserveFormat`.
 * @returns the module.
 */
export function convertConv2dWeightMemoryFormat<M extends Module>(module: M, memoryFormat: string): M {
  return convert(module, memoryFormat, (part) => part instanceof Conv2d || part instanceof ConvTranspose2d);
}

/**
 * Lays the weights of all Conv3d and ConvTranspose3d in and below a module out anew; their values stay.
 * @param memoryFormat `torch.channelsLast3d`, `torch.contiguousFormat` or `torch.preserveFormat`.
 * @returns the module.
 */
export function convertConv3dWeightMemoryFormat<M extends Module>(module: M, memoryFormat: string): M {
  return convert(module, memoryFormat, (part) => part instanceof Conv3d || part instanceof ConvTranspose3d);
}
