// NumPy's scalars and arrays inside pickles: values that training scripts often leave in a checkpoint. They become numbers
// and tensors.
import { Tuple } from '../core/containers.js';
import { RuntimeError } from '../core/errors.js';
import { float16Value } from '../tensor/tensor.js';
import { dataView, swapBytes } from './bytes.js';
import { Deferred, Global, Internal, WholeFloat } from './nodes.js';
import { type NumpyType, parseNumpyType, swapWidth } from './numpy_types.js';
import type { Buildable } from './pickle_reader.js';
import { Complex } from './python.js';
import { countElements, readShape, type TensorBuilder } from './tensor_builder.js';
import { fromLatin1, pythonInt } from './text.js';

/** A numpy.dtype; opcode BUILD adds the byte order. */
class NumpyDtype extends Deferred implements Buildable {
  bigEndian: boolean;

  constructor(readonly parsed: NumpyType) {
    super();
    this.bigEndian = parsed.bigEndian;
  }

  build(state: unknown): void {
    // (version, byte order, subarray, names, fields, ...): the last three belong to records, which are refused.
    if (!(state instanceof Tuple) || state.length < 5 || (state[2] ?? state[3] ?? state[4]) != null) {
      throw new RuntimeError('the pickle holds a NumPy type that is not supported');
    }
    if (typeof state[1] !== 'string' || !/^[<>|=]$/.test(state[1])) {
      throw new RuntimeError('the pickle holds a malformed NumPy type');
    }
    this.bigEndian = state[1] === '>';
  }

  resolve(): never {
    throw new RuntimeError('the pickle holds a NumPy type, which has no form of its own here');
  }
}

class NumpyArray extends Deferred implements Buildable {
  private tensor: object | null = null;

  constructor(private readonly builder: TensorBuilder) {
    super();
  }

  /** State: (version, shape, dtype, column-major, bytes). */
  build(state: unknown): void {
    if (!(state instanceof Tuple) || state.length !== 5)
      throw new RuntimeError('the pickle holds a malformed NumPy array');
    const [, shape, dtype, columnMajor, data] = state as readonly unknown[];
    this.fill(shape, dtype, data, columnMajor === true);
  }

  fill(shapeValue: unknown, dtype: unknown, data: unknown, columnMajor: boolean): void {
    const shape = readShape(shapeValue);
    const bytes = bytesOf(data);
    if (!(dtype instanceof NumpyDtype)) throw new RuntimeError('the pickle holds a NumPy array without a type');
    const { type } = dtype.parsed;
    if (bytes.length !== countElements(shape) * type.itemsize) {
      throw new RuntimeError('the pickle holds a NumPy array whose bytes do not fit its shape');
    }
    if (dtype.bigEndian) swapBytes(bytes, swapWidth(type));
    this.tensor = this.builder.array(type, shape, bytes, columnMajor);
  }

  resolve(): object {
    if (!this.tensor) throw new RuntimeError('the pickle holds a NumPy array without data');
    return this.tensor;
  }
}

class NdarrayClass extends Internal {
  override readonly description = 'the class numpy.ndarray';
}

/** A fresh copy; Python 2 pickles hold the bytes as a string. */
function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (typeof value === 'string') return fromLatin1(value);
  throw new RuntimeError('the pickle holds a NumPy value without bytes');
}

/** The value of one element. */
function scalar(args: readonly unknown[]): unknown {
  const [dtype, data] = args;
  if (!(dtype instanceof NumpyDtype)) throw new RuntimeError('the pickle holds a NumPy scalar without a type');
  const { name, itemsize } = dtype.parsed.type;
  const bytes = bytesOf(data);
  if (bytes.length !== itemsize) throw new RuntimeError('the pickle holds a malformed NumPy scalar');
  if (dtype.bigEndian) swapBytes(bytes, swapWidth(dtype.parsed.type));
  const view = dataView(bytes);
  const float = (value: number): unknown =>
    Number.isInteger(value) && !Object.is(value, -0) ? new WholeFloat(value) : value;
  switch (name) {
    case 'bool':
      return view.getUint8(0) !== 0;
    case 'float16':
      return float(float16Value(view.getUint16(0, true)));
    case 'float32':
      return float(view.getFloat32(0, true));
    case 'float64':
      return float(view.getFloat64(0, true));
    case 'complex64':
      return new Complex(view.getFloat32(0, true), view.getFloat32(4, true));
    case 'complex128':
      return new Complex(view.getFloat64(0, true), view.getFloat64(8, true));
  }
  const unsigned = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
  const bits = 8 * itemsize;
  return pythonInt(name.startsWith('u') ? unsigned : BigInt.asIntN(bits, unsigned));
}

/** NumPy's names, under both homes of its private modules. */
export function numpyGlobals(builder: TensorBuilder): [string, unknown][] {
  const functions: [string, (args: readonly unknown[]) => unknown][] = [
    [
      'numpy.dtype',
      ([name]) => {
        if (typeof name !== 'string') throw new RuntimeError('the pickle holds a malformed NumPy type');
        return new NumpyDtype(parseNumpyType(name));
      },
    ],
  ];
  for (const core of ['numpy.core', 'numpy._core']) {
    functions.push([`${core}.multiarray.scalar`, scalar]);
    functions.push([
      `${core}.multiarray._reconstruct`,
      ([cls]) => {
        if (!(cls instanceof NdarrayClass))
          throw new RuntimeError('the pickle holds a NumPy array of a class that is not allowed');
        return new NumpyArray(builder);
      },
    ]);
    functions.push([
      `${core}.numeric._frombuffer`,
      ([data, dtype, shape, order]) => {
        const array = new NumpyArray(builder);
        array.fill(shape, dtype, data, order === 'F');
        return array;
      },
    ]);
  }
  return [
    ['numpy.ndarray', new NdarrayClass()],
    ...functions.map(([name, fn]): [string, unknown] => [name, new Global(name, fn)]),
  ];
}
