// Where a tensor's elements live.
import { RuntimeError } from './errors.js';
import { restoring } from './restoring.js';

const TYPES = ['cpu', 'cuda', 'meta'] as const;
export type DeviceType = (typeof TYPES)[number];
export type DeviceLike = Device | string;

/** A device, as `torch.device('cpu')` returns it. Tensors live on 'cpu' and 'meta'; 'cuda' can be named, as files do. */
export class Device {
  /**
   * @param type 'cpu', 'cuda' or 'meta'
   * @param index which of several (default null: not said)
   */
  constructor(
    readonly type: DeviceType,
    readonly index: number | null = null,
  ) {}

  /** Whether type and number are equal: `cuda` and `cuda:0` are not. */
  equals(other: Device): boolean {
    return this.type === other.type && this.index === other.index;
  }

  /** PyTorch's spelling: `cpu`, `cuda:1`. */
  toString(): string {
    return this.index === null ? this.type : `${this.type}:${this.index}`;
  }

  /** In JSON a string, as `toString`. */
  toJSON(): string {
    return this.toString();
  }

  /** How console.log shows the device, in PyTorch's words: `device(type='cuda', index=1)`. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.index === null ? `device(type='${this.type}')` : `device(type='${this.type}', index=${this.index})`;
  }
}

/** The processor: where tensors are made by default. */
export const cpu = new Device('cpu');
/** No memory at all: tensors with a shape and a type and no elements. */
export const meta = new Device('meta');

/** @internal Where tensors go that are made without a device. */
export let defaultDevice: Device = cpu;

/** @internal */
export function setDefault(d: Device): void {
  defaultDevice = d;
}

/**
 * @internal Where a new tensor goes: null for the CPU, so that it costs nothing to say.
 * @param like null stands for the default device.
 * @throws RuntimeError for a device that this build does not have.
 */
export function home(like: DeviceLike | null | undefined): Device | null {
  const d = like == null ? defaultDevice : device(like);
  if (d.type === 'cpu') return null;
  if (d.type === 'meta') return meta;
  throw new RuntimeError(`device '${String(d)}' is not available in this build; tensors live on the CPU`);
}

/**
 * Reads a device from its PyTorch spelling: `'cpu'`, `'cuda:1'`, `'meta'`. With a function, runs that while the device is the
 * default one, as `with torch.device(...)` does in Python: `torch.device('meta', () => new Net())`.
 * @param like the spelling, or a device
 * @param then the device's number, unless the spelling has one (default none), or the function to run. A promise that it returns
 *   keeps the device as the default until it settles
 * @returns the device, or what the function returns
 * @throws RuntimeError for a string that names no device, and with a function for a device that tensors cannot live on
 * @throws TypeError for anything that is neither string nor device
 */
export function device(like: DeviceLike, then?: number): Device;
export function device<T>(like: DeviceLike, then: () => T): T;
export function device<T>(like: DeviceLike, then?: number | (() => T)): Device | T {
  return typeof then === 'function' ? during(read(like, undefined), then) : read(like, then);
}

function during<T>(d: Device, fn: () => T): T {
  home(d);
  const outer = defaultDevice;
  const restore = (): void => {
    defaultDevice = outer;
  };
  defaultDevice = d;
  return restoring(fn, restore);
}

function read(like: DeviceLike, index: number | undefined): Device {
  if (like instanceof Device) return like;
  if (typeof like !== 'string')
    throw new TypeError(`device(): argument 'device' must be a string or a device, not ${typeof like}`);
  const match = /^([a-z]+)(?::(\d+))?$/.exec(like);
  const type = TYPES.find((t) => t === match?.[1]);
  if (!match || !type) {
    throw new RuntimeError(`Expected one of ${TYPES.join(', ')} device type at start of device string: ${like}`);
  }
  const at = match[2] === undefined ? (index ?? null) : Number(match[2]);
  if (at === null) return type === 'cpu' ? cpu : type === 'meta' ? meta : new Device(type);
  return new Device(type, at);
}
