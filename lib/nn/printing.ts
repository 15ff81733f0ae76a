// How Python prints the values that appear in a module's description, and how PyTorch lays out a tree of modules.
import { Tuple } from '../core/containers.js';
import { tensorTypeName } from '../ops/internal/type_names.js';
import { kindOf } from '../core/errors.js';
import { isOptions } from '../ops/signature.js';
import { Tensor } from '../tensor/tensor.js';

/** Python's `None`, for settings that are absent. */
export const None = 'None';

/** A boolean as Python prints it: `True` or `False`. */
export function pyBool(value: boolean): string {
  return value ? 'True' : 'False';
}

/**
 * A number as Python prints a float: `1.0`, `0.1`, `1e-05`, `inf`.
 * @param value for a setting that is a float in PyTorch, also when it is whole.
 */
export function pyFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  // Both languages print the shortest digits that read back the same; only the switch to an exponent differs.
  const [mantissa, power] = value.toExponential().split('e') as [string, string];
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** Values as a Python tuple of ints: `(3, 3)`, `(8,)`. */
export function pyTuple(values: readonly unknown[]): string {
  const items = values.map((v) => pyRepr(v));
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
}

/** A string as Python prints it in a list: quoted, with the quote that needs no escape. */
export function pyString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t');
  return quote + (quote === "'" ? escaped.replace(/'/g, "\\'") : escaped) + quote;
}

/** Any setting as Python's `repr` prints it; a whole number counts as an int (use `pyFloat` for floats). */
export function pyRepr(value: unknown): string {
  if (value === null || value === undefined) return None;
  if (typeof value === 'boolean') return pyBool(value);
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : pyFloat(value);
  if (typeof value === 'string') return pyString(value);
  if (Array.isArray(value)) return pyTuple(value);
  return String(value);
}

/** Strings as a Python list: `['a', 'b']`. */
export function pyList(values: readonly unknown[]): string {
  return `[${values.map(pyRepr).join(', ')}]`;
}

/** A shape as PyTorch prints it: `torch.Size([2, 3])`. */
export function pySize(shape: readonly number[]): string {
  return `torch.Size([${shape.join(', ')}])`;
}

/** The kind of a value in an error message: `torch.FloatTensor` for tensors, JavaScript's name for the rest. */
export function typeName(value: unknown): string {
  return value instanceof Tensor ? tensorTypeName(value.dtype, value.device.type) : kindOf(value);
}

/** Indents all lines but the first. `padBlank` says whether lines without text are indented too. */
function addIndent(text: string, spaces: number, padBlank: boolean): string {
  const pad = ' '.repeat(spaces);
  return text
    .split('\n')
    .map((line, i) => (i === 0 ? line : padBlank || line.trim() !== '' ? pad + line : ''))
    .join('\n');
}

/**
 * A module's description: its name, its own settings, then a line per child.
 * @param extra the module's `extraRepr()`.
 */
export function describeModule(name: string, extra: string, children: Iterable<readonly [string, unknown]>): string {
  const extraLines = extra === '' ? [] : extra.split('\n');
  const childLines: string[] = [];
  for (const [key, child] of children) {
    childLines.push(`(${key}): ${addIndent(child === null ? None : String(child), 2, false)}`);
  }
  if (extraLines.length + childLines.length === 0) return `${name}()`;
  if (extraLines.length === 1 && childLines.length === 0) return `${name}(${extraLines[0]})`;
  return `${name}(\n  ${[...extraLines, ...childLines].join('\n  ')}\n)`;
}

/** The description of a list of modules, with runs of equal ones folded: `(0-2): 3 x Linear(...)`. */
export function describeList(name: string, items: Iterable<unknown>): string {
  const runs: { first: number; last: number; text: string }[] = [];
  let at = 0;
  for (const item of items) {
    const text = String(item);
    const run = runs[runs.length - 1];
    if (run?.text === text) run.last = at;
    else runs.push({ first: at, last: at, text });
    at++;
  }
  if (runs.length === 0) return `${name}()`;
  const lines = runs.map(({ first, last, text }) => {
    const line = first === last ? `(${first}): ${text}` : `(${first}-${last}): ${last - first + 1} x ${text}`;
    return addIndent(line, 2, true);
  });
  return `${name}(\n  ${lines.join('\n  ')}\n)`;
}

/** What Python calls a value's type. */
function pyType(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 'str';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float';
    default:
      if (value === null) return 'NoneType';
      return value instanceof Tuple
        ? 'tuple'
        : Array.isArray(value)
          ? 'list'
          : isOptions(value)
            ? 'dict'
            : kindOf(value);
  }
}

/** A container's line for one of its values: `Parameter containing: [torch.float32 of size 2x3]`. */
export function describeParameter(value: unknown, kind: string, isParameter: boolean): string {
  if (!(value instanceof Tensor)) return `Object of type: ${pyType(value)}`;
  const where = value.device.type === 'cuda' ? ` (${String(value.device)})` : '';
  return `${isParameter ? 'Parameter' : 'Tensor'} containing: [${kind} of size ${value.shape.join('x')}${where}]`;
}
