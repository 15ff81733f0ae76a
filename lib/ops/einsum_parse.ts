// The equations of einsum, and their form as lists of numbers.
import { RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';

/** The labels of every operand's dimensions and of the result's; '...' for those that have none. */
export interface Equation {
  inputs: string[][];
  output: string[];
}

const ELLIPSIS = '...';

function readOutput(text: string, start: number): string[] {
  const labels: string[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === ' ') continue;
    if (c === '.') {
      if (labels.includes(ELLIPSIS))
        throw new RuntimeError("einsum(): found '.' for output but an ellipsis (...) was already found");
      if (text.slice(i, i + 3) !== ELLIPSIS)
        throw new RuntimeError("einsum(): found '.' for output that is not part of any ellipsis (...)");
      labels.push(ELLIPSIS);
      i += 2;
      continue;
    }
    labels.push(readLabel(c, start + i));
  }
  return labels;
}

function readLabel(c: string, at: number): string {
  if (/[a-zA-Z]/.test(c)) return c;
  throw new RuntimeError(
    `einsum(): invalid subscript given at index ${at} in the equation string, subscripts must be in [a-zA-Z]`,
  );
}

function readInputs(text: string, count: number): string[][] {
  const inputs: string[][] = [[]];
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    const labels = inputs[inputs.length - 1]!;
    const operand = inputs.length - 1;
    if (c === ' ') continue;
    if (c === ',') {
      if (inputs.length === count)
        throw new RuntimeError('einsum(): fewer operands were provided than specified in the equation');
      inputs.push([]);
    } else if (c === '.') {
      if (labels.includes(ELLIPSIS)) {
        throw new RuntimeError(`einsum(): found '.' for operand ${operand} for which an ellipsis was already found`);
      }
      if (text.slice(i, i + 3) !== ELLIPSIS) {
        throw new RuntimeError(`einsum(): found '.' for operand ${operand} that is not part of any ellipsis`);
      }
      labels.push(ELLIPSIS);
      i += 2;
    } else {
      labels.push(readLabel(c, i));
    }
  }
  if (inputs.length < count)
    throw new RuntimeError('einsum(): more operands were provided than specified in the equation');
  return inputs;
}

/** Checks the labels against the operands, and says what the result's are where the equation does not. */
function complete(inputs: string[][], output: string[] | null, operands: readonly Tensor[]): Equation {
  inputs.forEach((labels, i) => {
    const n = operands[i]!.ndim;
    const hasEllipsis = labels.includes(ELLIPSIS);
    const named = labels.length - (hasEllipsis ? 1 : 0);
    if (hasEllipsis ? named > n : named !== n) {
      throw new RuntimeError(
        `einsum(): the number of subscripts in the equation (${named}) ${hasEllipsis ? 'is more than' : 'does not match'} the number of dimensions (${n}) for operand ${i}${hasEllipsis ? '' : ' and no ellipsis was given'}`,
      );
    }
  });
  const all = inputs.flat();
  if (output === null) {
    const once = all.filter((label) => label !== ELLIPSIS && all.indexOf(label) === all.lastIndexOf(label));
    return { inputs, output: [...(all.includes(ELLIPSIS) ? [ELLIPSIS] : []), ...once.sort()] };
  }
  output.forEach((label, i) => {
    if (label === ELLIPSIS) return;
    if (output.indexOf(label) !== i)
      throw new RuntimeError(`einsum(): output subscript ${label} appears more than once in the output`);
    if (!all.includes(label)) {
      throw new RuntimeError(
        `einsum(): output subscript ${label} does not appear in the equation for any input operand`,
      );
    }
  });
  return { inputs, output };
}

/** @throws RuntimeError in PyTorch's words. */
export function parseEquation(text: string, operands: readonly Tensor[]): Equation {
  if (operands.length === 0) throw new RuntimeError('einsum(): must provide at least one operand');
  const arrow = text.indexOf('->');
  const inputs = readInputs(arrow < 0 ? text : text.slice(0, arrow), operands.length);
  return complete(inputs, arrow < 0 ? null : readOutput(text.slice(arrow + 2), arrow + 2), operands);
}

/** Labels as PyTorch numbers them: 0 is A, 26 is a. */
function labelOf(v: unknown): string {
  if (v === ELLIPSIS) return ELLIPSIS;
  if (typeof v !== 'number' || !Number.isInteger(v) || v < 0 || v >= 52) {
    throw new RangeError('einsum(): subscript in subscript list is not within the valid range [0, 52)');
  }
  return String.fromCharCode(v < 26 ? 65 + v : 71 + v);
}

/** Operands that are each followed by the list of their labels; a last list is the result's. */
export function parseSublists(args: readonly unknown[]): { equation: Equation; operands: Tensor[] } {
  const operands: Tensor[] = [];
  const inputs: string[][] = [];
  let output: string[] | null = null;
  for (let i = 0; i < args.length; i += 2) {
    const [x, labels] = [args[i], args[i + 1]];
    if (i === args.length - 1 && Array.isArray(x) && i > 0) {
      output = x.map(labelOf);
    } else if (x instanceof Tensor && Array.isArray(labels)) {
      operands.push(x);
      inputs.push(labels.map(labelOf));
    } else {
      throw new TypeError(
        'einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts list',
      );
    }
  }
  if (operands.length === 0) {
    throw new TypeError(
      'einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts list',
    );
  }
  return { equation: complete(inputs, output, operands), operands };
}
