// The functions that PyTorch's pickles call to make tensors (torch/_utils.py), each with its arguments checked.
import { DType } from '../core/dtype.js';
import { StateDict, Tuple } from '../core/containers.js';
import { RuntimeError } from '../core/errors.js';
import { Deferred, Global, Internal, isList, plain, PyDict } from './nodes.js';
import { listedParameters } from './listed_parameters.js';
import {
  type Geometry,
  type QuantizerParameters,
  readGeometry,
  readShape,
  readStride,
  StorageClass,
  StorageRef,
  type TensorBuilder,
} from './tensor_builder.js';
import { torchTypes, type TorchType } from './torch_types.js';

/** A memory layout other than strided. */
class Layout extends Internal {
  override readonly description = 'a layout';
  constructor(readonly name: string) {
    super();
  }
}

const LAYOUTS = new Set(['coo', 'csr', 'csc', 'bsr', 'bsc'].map((name) => `torch.sparse_${name}`));

/** Whether the elements lie one after another in row-major order. */
function isRowMajor({ shape, stride }: Geometry): boolean {
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] !== 1 && stride[d] !== step) return false;
    step *= shape[d]!;
  }
  return true;
}

type Args = readonly unknown[];

function arity(args: Args, name: string, least: number, most: number): void {
  if (args.length < least || args.length > most) {
    throw new RuntimeError(
      `${name}() of the pickle has ${args.length} arguments, expected ${least}${most > least ? ` to ${most}` : ''}`,
    );
  }
}

function storageOf(value: unknown, name: string): StorageRef {
  if (!(value instanceof StorageRef)) throw new RuntimeError(`${name}() of the pickle has no storage`);
  return value;
}

function flag(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw new RuntimeError(`${name}() of the pickle has a malformed requires_grad`);
  return value;
}

/** Hooks are never pickled: an empty OrderedDict stands in their place. */
function noHooks(value: unknown, name: string): void {
  const empty = value === null || (value instanceof StateDict && value.size === 0);
  if (!empty) throw new RuntimeError(`${name}() of the pickle has backward hooks, which are not allowed`);
}

function typeOf(value: unknown, name: string): TorchType {
  if (value instanceof DType) return torchTypes.get(value.name)!;
  throw new RuntimeError(`${name}() of the pickle has no element type`);
}

function typed(storage: StorageRef, name: string): TorchType {
  if (!storage.type) throw new RuntimeError(`${name}() of the pickle has a storage without a type`);
  return storage.type;
}

/** Lazy conjugation and negation, which PyTorch keeps beside the data. */
function readFlags(metadata: unknown): { conj: boolean; neg: boolean } {
  const map = metadata instanceof PyDict ? metadata.map : new Map<unknown, unknown>();
  for (const key of map.keys()) {
    if (key !== 'conj' && key !== 'neg')
      throw new RuntimeError(`a tensor in the pickle has unknown metadata: ${String(key)}`);
  }
  return { conj: map.get('conj') === true, neg: map.get('neg') === true };
}

/** The rebuild functions, bound to what tensors shall become. */
export function rebuildGlobals(builder: TensorBuilder): [string, unknown][] {
  const plainTensor = (name: string, args: Args, type: TorchType | null, metadata: unknown): object => {
    const storage = storageOf(args[0], name);
    const geometry = readGeometry(storage, type ?? typed(storage, name), args[1], args[2], args[3]);
    if (args.length > 4) noHooks(args[5], name);
    return builder.tensor(storage, geometry, args.length > 4 && flag(args[4], name), readFlags(metadata));
  };
  const tensorOf = (value: unknown, name: string): object => {
    const tensor = value instanceof Deferred ? value.resolve() : value;
    if (!builder.isTensor(tensor)) throw new RuntimeError(`${name}() of the pickle has no tensor`);
    return tensor;
  };
  const parameter = (name: string, args: Args): object => {
    noHooks(args[2], name);
    return builder.parameter(tensorOf(args[0], name), flag(args[1], name));
  };

  // A tensor of a device that PyTorch pickles by way of main memory: (data, dtype, device, requires_grad).
  const fromHost = (args: Args, name: string): object => {
    arity(args, name, 4, 4);
    const tensor = tensorOf(args[0], name);
    if (builder.typeOf(tensor) !== typeOf(args[1], name)) {
      throw new RuntimeError(
        `${name}() of the pickle has data of another type than its tensor, which is not supported`,
      );
    }
    return builder.setRequiresGrad(tensor, flag(args[3], name));
  };

  const functions: Record<string, (args: Args, name: string) => unknown> = {
    _rebuild_tensor(args, name) {
      arity(args, name, 4, 4);
      return plainTensor(name, args, null, null);
    },
    _rebuild_tensor_v2(args, name) {
      arity(args, name, 6, 7);
      return plainTensor(name, args, null, args[6]);
    },
    _rebuild_tensor_v3(args, name) {
      arity(args, name, 7, 8);
      return plainTensor(name, args, typeOf(args[6], name), args[7]);
    },
    _rebuild_parameter(args, name) {
      arity(args, name, 3, 3);
      return parameter(name, args);
    },
    // Attributes that a program set on a parameter have no place here.
    _rebuild_parameter_with_state(args, name) {
      arity(args, name, 4, 4);
      return parameter(name, args);
    },
    _rebuild_device_tensor_from_cpu_tensor: fromHost,
    _rebuild_device_tensor_from_numpy: fromHost,
    _rebuild_meta_tensor_no_storage(args, name) {
      arity(args, name, 4, 4);
      const [shape, stride] = [readShape(args[1]), readStride(args[2])];
      if (shape.length !== stride.length) throw new RuntimeError(`${name}() of the pickle is malformed`);
      return builder.meta(typeOf(args[0], name), shape, stride, flag(args[3], name));
    },
    _rebuild_qtensor(args, name) {
      arity(args, name, 7, 7);
      const storage = storageOf(args[0], name);
      const type = typed(storage, name);
      const geometry = readGeometry(storage, type, args[1], args[2], args[3]);
      if (type.perByte !== undefined && !isRowMajor(geometry)) {
        throw new RuntimeError(`${name}() of the pickle has packed integers in another order than the rows'`);
      }
      noHooks(args[6], name);
      return builder.quantized(storage, geometry, quantizer(args[4], name), flag(args[5], name));
    },
    _rebuild_sparse_tensor(args, name) {
      arity(args, name, 2, 2);
      const [layout, data] = args;
      if (!(layout instanceof Layout) || !(data instanceof Tuple))
        throw new RuntimeError(`${name}() of the pickle is malformed`);
      const tensors = layout.name === 'sparse_coo' ? 2 : 3;
      arity(data, name, tensors + 1, 4);
      const parts = data.slice(0, tensors).map((part) => tensorOf(part, name));
      const coalesced = layout.name === 'sparse_coo' && data[3] === true;
      return builder.sparse(layout.name, parts, readShape(data[tensors]), coalesced);
    },
  };

  /** `(scheme, scale, zero point)` or `(scheme, scales, zero points, axis)`. */
  const quantizer = (value: unknown, name: string): QuantizerParameters => {
    const [scheme, scale, zero, axis] = value instanceof Tuple ? value.map(plain) : [];
    const kind = scheme instanceof Global ? scheme.name.replace(/^torch\./, '') : '';
    if (kind === 'per_tensor_affine' && typeof scale === 'number' && Number.isSafeInteger(zero)) {
      return { scheme: kind, scale, zeroPoint: zero as number };
    }
    if ((kind === 'per_channel_affine' || kind === 'per_channel_affine_float_qparams') && Number.isSafeInteger(axis)) {
      const [scales, zeroPoints] = [scale, zero].map((part, i) =>
        isList(part) ? listedParameters(builder, part.map(plain), kind, i === 0) : tensorOf(part, name),
      ) as [object, object];
      return { scheme: kind, scales, zeroPoints, axis: axis as number };
    }
    throw new RuntimeError(`${name}() of the pickle has malformed parameters`);
  };

  const rows: [string, unknown][] = Object.entries(functions).map(([name, fn]) => {
    const full = `torch._utils.${name}`;
    return [full, new Global(full, (args) => fn(args, name))];
  });
  const classes = ['torch.Tensor', 'torch.nn.parameter.Parameter', 'torch.nn.parameter.Buffer', 'torch._tensor.Tensor'];
  for (const name of classes) rows.push([name, new Global(name, null)]);
  for (const name of [
    'per_tensor_affine',
    'per_tensor_symmetric',
    'per_channel_affine',
    'per_channel_symmetric',
    'per_channel_affine_float_qparams',
  ]) {
    rows.push([`torch.${name}`, new Global(`torch.${name}`, null)]);
  }
  rows.push([
    'torch.serialization._get_layout',
    new Global('torch.serialization._get_layout', ([name]) => {
      if (typeof name !== 'string') throw new RuntimeError('the pickle holds a malformed layout');
      const known = LAYOUTS.has(name);
      if (!known) throw new RuntimeError(`the pickle holds an unknown layout: ${name.slice(0, 40)}`);
      return new Layout(name.replace('torch.', ''));
    }),
  ]);
  // Tensors with Python attributes: (rebuild function, class, its arguments, the attributes).
  const fromType = 'torch._tensor._rebuild_from_type_v2';
  rows.push([
    fromType,
    new Global(fromType, (args) => {
      arity(args, '_rebuild_from_type_v2', 4, 4);
      const [fn, type, inner] = args;
      const known = fn instanceof Global && fn.call && fn.name.startsWith('torch._utils._rebuild_');
      if (!known || !(type instanceof Global) || !classes.includes(type.name) || !(inner instanceof Tuple)) {
        throw new RuntimeError('the pickle holds a tensor of a class that is not allowed');
      }
      const tensor = fn.call!(inner);
      const isParameter = type.name.endsWith('Parameter') && !fn.name.startsWith('torch._utils._rebuild_parameter');
      return isParameter ? builder.parameter(tensorOf(tensor, fromType), true) : tensor;
    }),
  ]);
  return rows;
}

/** Parts of a persistent id, `('storage', class, key, location, elements)`; a legacy one has a sixth, a view or None. */
export function readStorageId(id: unknown): {
  type: TorchType | null;
  key: string;
  location: string;
  nbytes: number;
  view: unknown;
} {
  if (!(id instanceof Tuple) || id[0] !== 'storage' || id.length < 5 || id.length > 6) {
    throw new RuntimeError('the pickle refers to something other than a storage outside itself');
  }
  const [, storageClass, key, location, elements, view] = id as readonly unknown[];
  if (!(storageClass instanceof StorageClass)) throw new RuntimeError('the pickle names a storage of an unknown class');
  if (typeof key !== 'string' || typeof location !== 'string')
    throw new RuntimeError('the pickle names a storage without a key');
  const nbytes = Number(elements) * (storageClass.type?.itemsize ?? 1);
  if (
    typeof elements !== 'number' ||
    !Number.isSafeInteger(elements) ||
    elements < 0 ||
    !Number.isSafeInteger(nbytes)
  ) {
    throw new RuntimeError(`the pickle names a storage of ${String(elements)} elements`);
  }
  return { type: storageClass.type, key, location, nbytes, view };
}
