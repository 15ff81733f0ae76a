// The order in memory of the weights of convolutions.
import { inFormat } from '../../ops/internal/memory_format.js';
import type { Module } from '../module.js';
import { Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d } from '../modules/index.js';
import type { Parameter } from '../parameter.js';
import { neededModule } from './named_tensor.js';

function convert<M extends Module>(fn: string, module: M, format: string, isMeant: (part: Module) => boolean): M {
  neededModule(fn, module);
  for (const part of module.modules()) {
    if (!isMeant(part)) continue;
    const { weight } = part as unknown as { weight: Parameter };
    weight.data = inFormat(weight.detach(), format);
  }
  return module;
}

/**
 * Lays the weights of all Conv2d and ConvTranspose2d in and below a module out anew; their values stay.
 * @param module what to look through
 * @param memoryFormat `torch.channelsLast`, `torch.contiguousFormat` or `torch.preserveFormat`.
 * @returns the module.
 * @throws TypeError for another format and anything but a module.
 */
export function convertConv2dWeightMemoryFormat<M extends Module>(module: M, memoryFormat: string): M {
  return convert(
    'convertConv2dWeightMemoryFormat',
    module,
    memoryFormat,
    (part) => part instanceof Conv2d || part instanceof ConvTranspose2d,
  );
}

/**
 * Lays the weights of all Conv3d and ConvTranspose3d in and below a module out anew; their values stay.
 * @param module what to look through
 * @param memoryFormat `torch.channelsLast3d`, `torch.contiguousFormat` or `torch.preserveFormat`.
 * @returns the module.
 * @throws TypeError for another format and anything but a module.
 */
export function convertConv3dWeightMemoryFormat<M extends Module>(module: M, memoryFormat: string): M {
  return convert(
    'convertConv3dWeightMemoryFormat',
    module,
    memoryFormat,
    (part) => part instanceof Conv3d || part instanceof ConvTranspose3d,
  );
}
