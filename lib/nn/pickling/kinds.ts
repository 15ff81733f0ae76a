// The kinds of a module's settings in Python: how each is read from a pickle and written to one.
import { Tuple } from '../../core/containers.js';
import { RuntimeError } from '../../core/errors.js';
import { WholeFloat } from '../../serialization/nodes.js';
import { isModule } from '../module_attributes.js';

/** One setting of a class. */
export interface Attribute {
  /** PyTorch's name, as `kernel_size`. */
  readonly python: string;
  /** The property here, as `kernelSize`. */
  readonly property: string;
  readonly kind: Kind;
  /** Whether a single number is a float in PyTorch. */
  readonly isFloat: boolean;
  /** Whether None is a value. */
  readonly nullable: boolean;
  /** What a file of a version that did not have it means; undefined where every version had it. */
  readonly fallback: unknown;
}

interface Kind {
  /** The value here, or undefined for one of another kind. */
  read(value: unknown): unknown;
  /** The value in Python. */
  write(value: unknown): unknown;
}

const same = (value: unknown): unknown => value;

/** Arrays as tuples, at every depth. */
function tuples(value: unknown): unknown {
  return Array.isArray(value) ? Tuple.from(value, tuples) : value;
}

/** Tuples as arrays, at every depth; undefined where an item is not what `item` takes. */
function arrays(value: unknown, item: (value: unknown) => boolean): unknown {
  if (!Array.isArray(value)) return item(value) ? value : undefined;
  const out = Array.from(value, (v) => arrays(v, item));
  return out.includes(undefined) ? undefined : out;
}

function floats(value: unknown): unknown {
  if (typeof value === 'number') return new WholeFloat(value);
  return Array.isArray(value) ? Tuple.from(value, floats) : value;
}

const isInt = (value: unknown): boolean => typeof value === 'number' && Number.isSafeInteger(value);
const isNumber = (value: unknown): boolean => typeof value === 'number';
const only = (test: (value: unknown) => boolean): Kind => ({
  read: (value) => (test(value) ? value : undefined),
  write: same,
});

const KINDS: Record<string, Kind> = {
  int: only(isInt),
  /** Only None: a setting that has no counterpart here. */
  nothing: only(() => false),
  bool: only((value) => typeof value === 'boolean'),
  str: only((value) => typeof value === 'string'),
  float: { read: (value) => (isNumber(value) ? value : undefined), write: floats },
  /** One float, or a tuple of them. */
  floats: { read: (value) => arrays(value, isNumber), write: floats },
  /** One int, or a tuple of them; None inside keeps a size. */
  ints: { read: (value) => arrays(value, (v) => isInt(v) || v === null), write: tuples },
  /** A tuple of ints. */
  tuple: { read: (value) => (Array.isArray(value) ? arrays(value, isInt) : undefined), write: tuples },
  list: {
    read: (value) => (Array.isArray(value) ? arrays(value, isInt) : undefined),
    write: (v) => [...(v as number[])],
  },
  /** A padding: a tuple of ints, or a word. */
  padding: { read: (value) => (typeof value === 'string' ? value : arrays(value, isInt)), write: tuples },
  /** A size, or tuples of names and sizes. */
  sizes: { read: (value) => arrays(value, (v) => isInt(v) || typeof v === 'string'), write: tuples },
  function: only((value) => typeof value === 'function' && !isModule(value)),
};

function fallbackOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  if (text === 'None') return null;
  if (text === 'True' || text === 'False') return text === 'True';
  return /^'.*'$/.test(text) ? text.slice(1, -1) : Number(text);
}

/**
 * The settings of a class: `in_features int, eps float=1e-05, momentum float?`. A `?` allows None, a value behind `=` stands for
 * versions that did not have the setting, a `!` behind the name keeps PyTorch's name for the property.
 */
export function attributes(text: string): Attribute[] {
  return text
    .split(', ')
    .filter(Boolean)
    .map((part) => {
      const [, python, exact, kind, nullable, fallback] = /^(\w+)(!?) (\w+)(\??)(?:=(.*))?$/.exec(part)!;
      return {
        python: python!,
        property: exact ? python! : camel(python!),
        kind: KINDS[kind!]!,
        isFloat: /^floats?$/.test(kind!),
        nullable: nullable === '?',
        fallback: fallbackOf(fallback),
      };
    });
}

/** `kernel_size` as `kernelSize`. */
export function camel(name: string): string {
  return name.replace(/(?<=.)_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * The value of a setting in a file.
 * @throws RuntimeError for one that is missing, or of another kind.
 */
export function readAttribute(owner: string, { python, kind, nullable, fallback }: Attribute, value: unknown): unknown {
  if (value === undefined) {
    if (fallback === undefined) throw new RuntimeError(`the file holds a ${owner} without its attribute '${python}'`);
    return fallback;
  }
  if (value === null && nullable) return null;
  const read = kind.read(value);
  if (read === undefined) throw new RuntimeError(`the file holds a ${owner} with a malformed attribute '${python}'`);
  return read;
}
