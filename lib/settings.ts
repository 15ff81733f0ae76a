// Settings of the whole process.
import { type Device, type DeviceLike, defaultDevice, device as deviceOf, home, setDefault } from './core/device.js';
import { kindOf, RuntimeError } from './core/errors.js';

/**
 * The device of tensors made without one.
 * @returns `cpu`, unless `setDefaultDevice`, or `torch.device` with a function, says otherwise
 */
export function getDefaultDevice(): Device {
  return defaultDevice;
}
/**
 * Sets the device of tensors made without one.
 * @param device a device or its spelling, `'cpu'` or `'meta'`; null resets it to the CPU
 * @throws RuntimeError for a device that this build does not have
 * @throws TypeError for anything that is neither string nor device
 */
export function setDefaultDevice(device: DeviceLike | null): void {
  const d = deviceOf(device ?? 'cpu');
  home(d);
  setDefault(d);
}

/** How exactly float32 matrix products are computed, as PyTorch names it. */
export type MatmulPrecision = 'highest' | 'high' | 'medium';
let precision: MatmulPrecision = 'highest';
/**
 * How exactly float32 matrix products are to be computed. On the CPU they are float32 throughout, whatever it says.
 * @returns 'highest', unless `setFloat32MatmulPrecision` said otherwise
 */
export function getFloat32MatmulPrecision(): MatmulPrecision {
  return precision;
}
/**
 * Allows float32 matrix products to round their operands; on the CPU nothing makes use of it.
 * @param value 'highest' (no rounding, as at the start), 'high' or 'medium'
 * @throws RuntimeError for anything else
 */
export function setFloat32MatmulPrecision(value: MatmulPrecision): void {
  if (!['highest', 'high', 'medium'].includes(value)) {
    throw new RuntimeError(
      `'${typeof value === 'string' ? value : kindOf(value)}' is not a valid precision: use 'highest', 'high' or 'medium'`,
    );
  }
  precision = value;
}

let deterministic = false;
let warnOnly = false;
/**
 * Asks for operations that give the same bits in every run. All of them do, so this only keeps the answer.
 * @param mode true to ask for it
 * @param options `warnOnly` (default false): warn instead of throwing, where an operation could not
 * @throws TypeError unless `mode` and `warnOnly` are booleans, and for unknown options
 */
export function useDeterministicAlgorithms(mode: boolean, options: { warnOnly?: boolean } = {}): void {
  if (typeof mode !== 'boolean')
    throw new TypeError(`useDeterministicAlgorithms(): argument 'mode' must be bool, not ${typeof mode}`);
  for (const [key, value] of Object.entries(kindOf(options) === 'Object' ? options : { options })) {
    if (key !== 'warnOnly')
      throw new TypeError(`useDeterministicAlgorithms() got an unexpected keyword argument '${key}'`);
    if (value !== undefined && typeof value !== 'boolean')
      throw new TypeError(`useDeterministicAlgorithms(): argument 'warnOnly' must be bool, not ${kindOf(value)}`);
  }
  deterministic = mode;
  warnOnly = options.warnOnly ?? false;
}
/**
 * Whether `useDeterministicAlgorithms` is on; ops here are deterministic either way.
 * @returns false at the start
 */
export function areDeterministicAlgorithmsEnabled(): boolean {
  return deterministic;
}
/**
 * Whether `useDeterministicAlgorithms` is on with `warnOnly`.
 * @returns false at the start
 */
export function isDeterministicAlgorithmsWarnOnlyEnabled(): boolean {
  return deterministic && warnOnly;
}

let interopThreads = 1;
/**
 * How many operations may run at the same time; operations run one after the other, so the number has no effect.
 * @returns 1, unless `setNumInteropThreads` said otherwise
 */
export function getNumInteropThreads(): number {
  return interopThreads;
}
/**
 * Sets the number that `getNumInteropThreads` returns; ops run one after another here.
 * @param n at least 1
 * @throws RuntimeError unless `n` is a positive integer
 */
export function setNumInteropThreads(n: number): void {
  if (!Number.isInteger(n) || n <= 0) throw new RuntimeError('set_num_interop_threads expects a positive integer');
  interopThreads = n;
}
