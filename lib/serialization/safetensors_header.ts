// The header of a safetensors file: names, types, shapes and places. Every byte behind it belongs to exactly one tensor.
import type { DType } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { type ByteSource, dataView, readBytes, u64 } from './bytes.js';
import { parseStrictJson, type JsonObject, type JsonValue } from './strict_json.js';
import { torchTypes, type TorchType } from './torch_types.js';

/** As the reference implementation's. */
const MAX_HEADER = 100_000_000;
const MAX_DIMS = 64;

const NAMES: Record<string, string> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  C64: 'complex64',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U64: 'uint64',
  U32: 'uint32',
  U16: 'uint16',
  U8: 'uint8',
  BOOL: 'bool',
  F8_E4M3: 'float8_e4m3fn',
  F8_E5M2: 'float8_e5m2',
  F8_E4M3FNUZ: 'float8_e4m3fnuz',
  F8_E5M2FNUZ: 'float8_e5m2fnuz',
  F8_E8M0: 'float8_e8m0fnu',
};

/** A tensor of the file; `start` and `end` count from the file's beginning. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly type: TorchType;
  /** The format's name of the type, as `'F32'`. */
  readonly typeName: string;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of the file's header. */
  readonly entries: readonly SafetensorsEntry[];
  /** The text pairs under `__metadata__`, or null. */
  readonly metadata: ReadonlyMap<string, string> | null;
}

/**
 * The format's name of a type, as `'F32'`.
 * @throws TypeError for a type the format lacks (complex128).
 */
export function safetensorsTypeName(dtype: DType): string {
  const found = Object.keys(NAMES).find((key) => NAMES[key] === dtype.name);
  if (found === undefined) throw new TypeError(`safetensors.saveFile(): the format has no type for ${String(dtype)}`);
  return found;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

function sizes(value: JsonValue | undefined, most: number, what: string): number[] {
  const valid =
    Array.isArray(value) &&
    value.length <= most &&
    value.every((n) => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0);
  if (!valid || value.some((n) => Object.is(n, -0))) throw new RuntimeError(`${what} is malformed`);
  return value as number[];
}

function readEntry(file: string, name: string, value: JsonValue, data: number): SafetensorsEntry {
  const what = `${file}: the header's entry '${name.slice(0, 60)}'`;
  if (!isObject(value)) throw new RuntimeError(`${what} is malformed`);
  for (const key of value.keys()) {
    if (key !== 'dtype' && key !== 'shape' && key !== 'data_offsets')
      throw new RuntimeError(`${what} has an unknown field '${key}'`);
  }
  const code = value.get('dtype');
  const type = typeof code === 'string' && Object.hasOwn(NAMES, code) ? torchTypes.get(NAMES[code]!) : undefined;
  if (!type) throw new RuntimeError(`${what} has an unknown type: ${String(code).slice(0, 40)}`);
  const shape = sizes(value.get('shape'), MAX_DIMS, `${what}: the shape`);
  const offsets = sizes(value.get('data_offsets'), 2, `${what}: the place`);
  const [start, end] = offsets as [number, number];
  const nbytes = shape.reduce((n, size) => n * size, type.itemsize);
  if (offsets.length !== 2 || end - start !== nbytes) {
    throw new RuntimeError(`${what} has ${end - start} bytes, its shape and type say ${nbytes}`);
  }
  return { name, type, typeName: code as string, shape, start: data + start, end: data + end };
}

/**
 * Reads and checks the header.
 * @throws RuntimeError if anything about it is malformed, or bytes are left out or used twice.
 */
export function readSafetensorsHeader(source: ByteSource): SafetensorsHeader {
  const { name: file } = source;
  if (source.size < 8) throw new RuntimeError(`${file} is too short for a safetensors file`);
  const length = u64(dataView(readBytes(source, 0, 8)), 0, `${file}: the length of the header`);
  if (length > MAX_HEADER) throw new RuntimeError(`${file}: the safetensors header is too large: ${length} bytes`);
  if (8 + length > source.size) throw new RuntimeError(`${file}: the safetensors header is longer than the file`);
  const bytes = readBytes(source, 8, length);
  if (bytes[0] !== 0x7b) throw new RuntimeError(`${file}: the safetensors header does not start with '{'`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new RuntimeError(`${file}: the safetensors header is not UTF-8`);
  }
  const header = parseStrictJson(text, `${file}: the safetensors header`);
  if (!isObject(header)) throw new RuntimeError(`${file}: the safetensors header is not an object`);

  const metadata = header.get('__metadata__');
  if (metadata !== undefined) {
    if (!isObject(metadata) || [...metadata.values()].some((value) => typeof value !== 'string')) {
      throw new RuntimeError(`${file}: the safetensors metadata are not pairs of strings`);
    }
    header.delete('__metadata__');
  }
  const data = 8 + length;
  const entries = [...header].map(([name, value]) => readEntry(file, name, value, data));
  let at = data;
  for (const { name, start, end } of [...entries].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== at)
      throw new RuntimeError(
        `${file}: the place of the tensor '${name.slice(0, 60)}' overlaps another or leaves a gap`,
      );
    at = end;
  }
  if (at !== source.size) throw new RuntimeError(`${file}: the tensors take ${at} bytes, the file has ${source.size}`);
  return { entries, metadata: (metadata as Map<string, string> | undefined) ?? null };
}
