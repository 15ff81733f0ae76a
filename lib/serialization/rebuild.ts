// The functions that PyTorch's pickles call to make tensors (torch/_utils.py), each with its arguments checked.
import { DType } from '../core/dtype.js';
import { StateDict, Tuple } from '../core/containers.js';
import { RuntimeError } from '../core/errors.js';
import { Deferred, Global, Internal, PyDict } from './nodes.js';
import {
  ForeignType,
  readGeometry,
  readShape,
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
  if (value instanceof ForeignType) return value.type;
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
      return builder.special('meta', typeOf(args[0], name), readShape(args[1]), []);
    },
    _rebuild_qtensor(args, name) {
      arity(args, name, 7, 7);
      const storage = storageOf(args[0], name);
      const { type, shape } = readGeometry(storage, typed(storage, name), args[1], args[2], args[3]);
      return builder.special('quantized', type, shape, []);
    },
    _rebuild_sparse_tensor(args, name) {
      arity(args, name, 2, 2);
      const [layout, parts] = args;
      if (!(layout instanceof Layout) || !(parts instanceof Tuple))
        throw new RuntimeError(`${name}() of the pickle is malformed`);
      const shape = parts.find((part) => part instanceof Tuple && !builder.isTensor(part));
      return builder.special(
        layout.name,
        null,
        readShape(shape),
        parts.filter((part) => builder.isTensor(part)),
      );
    },
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
      return type.name.endsWith('Parameter') ? builder.parameter(tensorOf(tensor, fromType), true) : tensor;
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
