// The header of a .npy file: a Python dict literal of three keys, read by a grammar of its own (numpy/lib/format.py).
import { RuntimeError } from '../core/errors.js';
import { parseNumpyType, type NumpyType } from './numpy_types.js';
import { latin1 } from './text.js';
import { dataView } from './bytes.js';

export interface NpyHeader extends NumpyType {
  readonly shape: readonly number[];
  readonly columnMajor: boolean;
  /** Where the data start. */
  readonly data: number;
  readonly nbytes: number;
}

const MAGIC = '\x93NUMPY';
/** As NumPy's own limit. */
const MAX_HEADER = 10_000;
const MAX_DIMS = 64;

/** More than this many bytes of a file are never needed to read its header. */
export const NPY_HEADER_BOUND = MAX_HEADER + 12;

type Literal = { readonly kind: 'string' | 'bool' | 'tuple'; readonly text: string };

const OPEN = /\s*\{/y;
const ENTRY = /\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*:\s*(?:'([^'\\]*)'|"([^"\\]*)"|(True|False)|(\([\d,\sL]*\)))\s*/y;
const CLOSE = /,?\s*\}\s*$/y;
const COMMA = /,/y;

function fail(what: string): never {
  throw new RuntimeError(`the .npy header ${what}`);
}

/** The entries of `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`. */
function parseDict(text: string): Map<string, Literal> {
  const out = new Map<string, Literal>();
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    at += found?.[0].length ?? 0;
    return found;
  };
  if (!match(OPEN)) fail('is not a dict');
  do {
    const entry = match(ENTRY);
    if (!entry) fail('is malformed');
    const [, key1, key2, string1, string2, bool, tuple] = entry;
    const key = (key1 ?? key2)!;
    if (out.has(key)) fail(`has the key '${key}' twice`);
    const string = string1 ?? string2;
    if (string !== undefined) out.set(key, { kind: 'string', text: string });
    else if (bool !== undefined) out.set(key, { kind: 'bool', text: bool });
    else out.set(key, { kind: 'tuple', text: tuple! });
    if (match(CLOSE)) return out;
  } while (match(COMMA));
  return fail('is malformed');
}

function parseShape(text: string): number[] {
  const match = /^\((?:\s*\d{1,16}L?\s*,)*(?:\s*\d{1,16}L?\s*)?\)$/.exec(text);
  // (4) is a number in Python, (4,) a tuple.
  if (!match || /^\(\s*\d+L?\s*\)$/.test(text)) fail(`has a malformed shape: ${text.slice(0, 40)}`);
  const shape = (text.match(/\d+/g) ?? []).map(Number);
  if (shape.length > MAX_DIMS || shape.some((n) => !Number.isSafeInteger(n))) fail('has a shape out of range');
  return shape;
}

/**
 * Reads the header.
 * @param bytes the first bytes of the file, NPY_HEADER_BOUND of them or all.
 * @throws RuntimeError if it is malformed or describes something other than numbers and booleans.
 */
export function readNpyHeader(bytes: Uint8Array): NpyHeader {
  if (bytes.length < 10 || latin1(bytes.subarray(0, 6)) !== MAGIC) {
    throw new RuntimeError('not a NumPy file: the magic bytes are missing');
  }
  const [major, minor] = [bytes[6]!, bytes[7]!];
  if (major < 1 || major > 3 || minor !== 0)
    throw new RuntimeError(`unknown version of the .npy format: ${major}.${minor}`);
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start) fail('is cut short');
  const view = dataView(bytes);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER) fail(`is too long: ${length} bytes`);
  if (start + length > bytes.length) fail('is cut short');
  const entries = parseDict(latin1(bytes.subarray(start, start + length)));
  const [descr, order, shapeText] = ['descr', 'fortran_order', 'shape'].map((key) => entries.get(key));
  if (!descr || !order || !shapeText || entries.size !== 3) {
    fail(`does not have the keys descr, fortran_order and shape but ${[...entries.keys()].join(', ').slice(0, 80)}`);
  }
  if (descr.kind !== 'string') fail('has a malformed descr');
  if (order.kind !== 'bool') fail('has a malformed fortran_order');
  if (shapeText.kind !== 'tuple') fail('has a malformed shape');
  const type = parseNumpyType(descr.text);
  const shape = parseShape(shapeText.text);
  let nbytes = type.type.itemsize;
  for (const size of shape) nbytes *= size;
  if (!Number.isSafeInteger(shape.reduce((n, size) => n * Math.max(size, 1), type.type.itemsize)))
    fail('has a shape out of range');
  return { ...type, shape, columnMajor: order.text === 'True', data: start + length, nbytes };
}

/** A header of version 1.0 that makes the data start at a multiple of 64 bytes. */
export function writeNpyHeader(typeName: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${typeName}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10;
  const bytes = Buffer.from(`${MAGIC}\x01\x00\x00\x00${dict.padEnd(length - 1)}\n`, 'latin1');
  bytes.writeUInt16LE(length, 8);
  return bytes;
}
