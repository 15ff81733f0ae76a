// Generators of random numbers: mt19937, with the streams and states of PyTorch's CPU generator.
import { randomBytes } from 'node:crypto';
import { type DeviceLike, cpu, type Device, device as deviceOf } from '../core/device.js';
import { RuntimeError, kindOf } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeNumbers, invokeVoid } from '../tensor/invoke.js';
import { keep, keepTensor } from '../tensor/memory.js';
import { Tensor } from '../tensor/tensor.js';

const NEW = nativeOp('generator_new');
const SEED = nativeOp('generator_seed');
const INITIAL_SEED = nativeOp('generator_initial_seed');
const STATE = nativeOp('generator_state');
const SET_STATE = nativeOp('generator_set_state');

/** The 64 bits of a seed; negative ones count from 2^64, as in PyTorch. */
function seedBits(seed: number | bigint): bigint {
  if (typeof seed !== 'bigint' && !(typeof seed === 'number' && Number.isInteger(seed))) {
    throw new TypeError(
      `manualSeed(): argument 'seed' must be an integer, not ${typeof seed === 'number' ? seed : kindOf(seed)}`,
    );
  }
  const s = BigInt(seed);
  if (s < -(2n ** 63n) || s >= 2n ** 64n)
    throw new RuntimeError(`Overflow when unpacking long: the seed ${s} does not fit 64 bits`);
  return BigInt.asIntN(64, s);
}

let handleOf: (g: Generator) => Tensor | null;

/**
 * A source of random numbers of its own, mt19937 with the streams of PyTorch's CPU generator: the same seed gives the same
 * numbers. Every random op takes one as `generator`; the default one is shared.
 */
export class Generator {
  // The native state. Hidden from user code, which must not be able to write into it; null for the default generator.
  #state: Tensor | null;
  /** Where the generator's numbers go: the CPU. */
  readonly device: Device = cpu;

  /**
   * @param device must be the CPU (default)
   * @throws RuntimeError for another device
   */
  constructor(device: DeviceLike = cpu) {
    const d = deviceOf(device);
    if (d.type !== 'cpu') throw new RuntimeError(`Device type ${d.type} is not supported for torch.Generator() api.`);
    this.#state = defaultMade ? invoke(NEW) : null;
    // The state belongs to this object, not to a scope or `tidy` that it happens to be made in.
    if (this.#state !== null) keep(keepTensor(this.#state));
  }

  static {
    handleOf = (g) => g.#state;
  }

  /**
   * Starts the stream of a seed.
   * @param seed an integer of 64 bits; a negative one counts from 2^64
   * @returns the generator itself
   * @throws TypeError for what is no integer; RuntimeError for one of more bits
   */
  manualSeed(seed: number | bigint): this {
    invokeVoid(SEED, this.#state, seedBits(seed));
    return this;
  }

  /** Starts the stream of a seed of 53 bits from the system's source of randomness and returns the seed. */
  seed(): number {
    const bytes = randomBytes(8);
    const seed = Number(bytes.readBigUInt64LE() & ((1n << 53n) - 1n));
    this.manualSeed(seed);
    return seed;
  }

  /** The seed of the stream; a bigint beyond 2^53 - 1. */
  initialSeed(): number | bigint {
    const [high, low] = invokeNumbers(INITIAL_SEED, this.#state) as [number, number];
    const seed = (BigInt(high) << 32n) | BigInt(low);
    return seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seed) : seed;
  }

  /** The state as 5056 bytes, [5056] of uint8, which PyTorch reads too. */
  getState(): Tensor {
    return invoke(STATE, this.#state);
  }

  /**
   * Continues from a state.
   * @param newState what `getState`, or PyTorch's CPU generator, gave
   * @returns the generator itself
   * @throws TypeError unless it is a tensor of bytes, RuntimeError for one that is no state
   */
  setState(newState: Tensor): this {
    if (!(newState instanceof Tensor))
      throw new TypeError(`setState(): argument 'newState' must be Tensor, not ${kindOf(newState)}`);
    invokeVoid(SET_STATE, this.#state, newState);
    return this;
  }

  /** A generator that continues from this one's state on its own. */
  cloneState(): Generator {
    return new Generator().setState(this.getState());
  }
}

let defaultMade = false;
/** The generator that random ops use unless they are given one. All threads of the process share it. */
export const defaultGenerator = new Generator();
defaultMade = true;

/** The native argument for an op's `generator`. */
export function sourceOf(name: string, generator: unknown): Tensor | null {
  if (generator === null || generator === undefined) return null;
  if (!(generator instanceof Generator)) {
    throw new TypeError(`${name}(): argument 'generator' must be a torch.Generator, not ${kindOf(generator)}`);
  }
  return handleOf(generator);
}

/**
 * Starts the default generator's stream of a seed.
 * @param seed an integer of 64 bits; a negative one counts from 2^64
 * @returns the default generator
 * @throws TypeError for what is no integer; RuntimeError for one of more bits
 */
export function manualSeed(seed: number | bigint): Generator {
  return defaultGenerator.manualSeed(seed);
}
/**
 * Seeds the default generator from the system's source of randomness.
 * @returns the seed, of 53 bits
 */
export function seed(): number {
  return defaultGenerator.seed();
}
/**
 * The seed of the default generator's stream.
 * @returns a number, or a bigint beyond 2^53 - 1
 */
export function initialSeed(): number | bigint {
  return defaultGenerator.initialSeed();
}
/**
 * The default generator's state.
 * @returns [5056] of uint8: bytes that `setRngState`, and PyTorch, continue from
 */
export function getRngState(): Tensor {
  return defaultGenerator.getState();
}
/**
 * Continues the default generator from a state.
 * @param newState what `getRngState`, or PyTorch's CPU generator, gave
 * @throws TypeError unless it is a tensor of bytes, RuntimeError for one that is no state
 */
export function setRngState(newState: Tensor): void {
  defaultGenerator.setState(newState);
}
