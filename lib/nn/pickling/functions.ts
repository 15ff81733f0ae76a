// Functions that a module may hold as a setting, such as an activation, by their names in Python.
import * as ops from '../../ops/all.js';
import * as special from '../../special/index.js';
import * as functional from '../functional/index.js';
import { camel } from './kinds.js';

type Functions = Record<string, unknown>;

/** Where PyTorch has its functions. */
const HOMES: readonly [python: string, functions: Functions][] = [
  ['torch.nn.functional', functional],
  ['torch.special', special],
  ['torch', ops],
];
/** What functions of torch.nn.functional that are written in C++ are called in a pickle. */
const IN_CPP = 'torch._C._nn';

/** An op, which is a function that only computes: classes and other functions are not for files. */
function isOp(value: unknown): value is (...args: never[]) => unknown {
  return typeof value === 'function' && 'signature' in value && 'home' in value && value.home !== 'method';
}

/** The function of a full Python name; undefined for one that is not there. */
export function functionNamed(name: string): unknown {
  const dot = name.lastIndexOf('.');
  const module = name.slice(0, dot);
  const functions = HOMES.find(([python]) => python === (module === IN_CPP ? 'torch.nn.functional' : module))?.[1];
  const own = camel(name.slice(dot + 1));
  const found = functions && Object.hasOwn(functions, own) ? functions[own] : undefined;
  return isOp(found) ? found : undefined;
}

/** `maxPool2d` as `max_pool2d`; a digit starts no word. */
function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * The name that a function has in a home. PyTorch has some functions in one of them that this library has in two: tanh and
 * sigmoid are torch's, and what torch.special or torch.nn.functional has is theirs.
 */
function nameIn(python: string, own: string): string {
  if (python === 'torch.nn.functional' && (own === 'tanh' || own === 'sigmoid')) return `torch.${own}`;
  if (python !== 'torch') return `${python}.${snake(own)}`;
  const home = ACTIVATIONS.has(own) ? 'torch.nn.functional' : SPECIAL.has(own) ? 'torch.special' : python;
  return `${home}.${snake(own)}`;
}

const names = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const ACTIVATIONS = names('silu mish elu leakyRelu hardtanh relu6 hardsigmoid hardswish glu');
const SPECIAL = names('zeta erfcx ndtr ndtri logNdtr entr xlog1py i1 i0e i1e');
/** Methods of PyTorch's tensors that are functions here. */
const METHODS = names('repeat');

let known: Map<unknown, string> | undefined;

/** The full Python name of a function. */
export function nameOfFunction(fn: unknown): string | undefined {
  if (known === undefined) {
    known = new Map();
    for (const [python, functions] of HOMES) {
      for (const [own, value] of Object.entries(functions)) {
        if (isOp(value) && !known.has(value) && !METHODS.has(own)) known.set(value, nameIn(python, own));
      }
    }
  }
  return known.get(fn);
}
