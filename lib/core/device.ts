// Where a tensor's elements live.
import { RuntimeError } from './errors.js';

const TYPES = ['cpu', 'cuda', 'meta'] as const;
export type DeviceType = (typeof TYPES)[number];
export type DeviceLike = Device | string;

/** A device, as `torch.device('cpu')`. */
export class Device {
  constructor(
    readonly type: DeviceType,
    readonly index: number | null = null,
  ) {}

  equals(other: Device): boolean {
    return this.type === other.type && this.index === other.index;
  }

  toString(): string {
    return this.index === null ? this.type : `${this.type}:${this.index}`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.index === null ? `device(type='${this.type}')` : `device(type='${this.type}', index=${this.index})`;
  }
}

export const cpu = new Device('cpu');
export const meta = new Device('meta');

/**
 * Reads a device from its PyTorch spelling: `'cpu'`, `'cuda:1'`, `'meta'`.
 * @throws RuntimeError for a string that names no device, TypeError for anything that is neither string nor device.
 */
export function device(like: DeviceLike, index?: number): Device {
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
