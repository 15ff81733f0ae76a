// Making a module without the cost of its initial values.
import { device as deviceOf, type DeviceLike, meta } from '../core/device.js';
import { RuntimeError } from '../core/errors.js';
import { isOptions } from '../ops/signature.js';
import { Module } from './module.js';
import { typeName } from './printing.js';

/**
 * A module whose parameters and buffers are not initialised, for one whose values are loaded next: it is made on the meta
 * device, where nothing is computed and no random number is drawn, and its memory is taken afterwards, as it is.
 * @param moduleClass a Module class.
 * @param args the constructor's arguments. A `device` in options at their end is where the module ends up; default the CPU.
 * @returns the module, of class `moduleClass`, its tensors holding whatever the memory does
 * @throws RuntimeError for something that is no Module class.
 */
export function skipInit<M extends Module, A extends unknown[]>(moduleClass: new (...args: A) => M, ...args: A): M {
  if (typeof moduleClass !== 'function' || !(moduleClass.prototype instanceof Module)) {
    throw new RuntimeError(`Expected a Module; got ${typeName(moduleClass)}`);
  }
  const last: unknown = args.at(-1);
  let where: DeviceLike = 'cpu';
  const given = [...args] as unknown[];
  if (isOptions(last) && 'device' in last) {
    where = (last['device'] as DeviceLike | null) ?? 'cpu';
    given[given.length - 1] = { ...last, device: meta };
  }
  const made = deviceOf(meta, () => new moduleClass(...(given as A)));
  return made.toEmpty({ device: where });
}
