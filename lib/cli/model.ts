// Finding a model in a module, and its weights in a file.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import torch, { type nn } from '../index.js';
import { CliError, messageOf } from './errors.js';

type ModelClass = new () => nn.Module;

/** A Module by its behaviour: the model's file may have loaded another copy of this package. */
function asModel(value: unknown): nn.Module | null {
  return typeof value === 'function' && 'loadStateDict' in value ? (value as unknown as nn.Module) : null;
}

function asModelClass(value: unknown): ModelClass | null {
  const prototype: unknown = typeof value === 'function' ? (value as { prototype?: unknown }).prototype : null;
  return typeof prototype === 'function' || (typeof prototype === 'object' && prototype !== null)
    ? 'loadStateDict' in prototype
      ? (value as ModelClass)
      : null
    : null;
}

/** The model that a module's exports hold: the default export, `createModel`, or the only model there is. */
async function modelOf(exports: Record<string, unknown>, file: string): Promise<nn.Module> {
  const inner = exports['default'];
  // A CommonJS module comes as `default` with its own exports inside.
  const nested = inner !== null && typeof inner === 'object' ? (inner as Record<string, unknown>) : {};
  const all = { ...nested, ...exports };
  let chosen: unknown = nested['default'] ?? (typeof inner === 'function' ? inner : undefined) ?? all['createModel'];
  if (chosen === undefined) {
    const found = [...new Set(Object.values(all).filter((v) => asModel(v) !== null || asModelClass(v) !== null))];
    if (found.length > 1) throw new CliError(`${file} exports several models; make one the default export`);
    chosen = found[0];
  }
  const Class = asModelClass(chosen);
  if (Class !== null) return new Class();
  const ready = asModel(chosen);
  if (ready !== null) return ready;
  if (typeof chosen === 'function') {
    const made = asModel(await (chosen as () => unknown)());
    if (made !== null) return made;
  }
  throw new CliError(`${file} exports no model: a Module class, a function that makes a Module, or a Module`);
}

/**
 * Loads a module and makes its model.
 * @throws CliError if the file is missing, fails to load or holds no model.
 */
export async function loadModel(file: string): Promise<nn.Module> {
  if (!existsSync(file) || !statSync(file).isFile()) throw new CliError(`${file}: no such file`);
  let exports: Record<string, unknown>;
  try {
    exports = (await import(pathToFileURL(path.resolve(file)).href)) as Record<string, unknown>;
  } catch (error) {
    throw new CliError(`cannot load the model ${file}: ${messageOf(error)}`);
  }
  try {
    return await modelOf(exports, file);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`cannot make the model of ${file}: ${messageOf(error)}`);
  }
}

const NESTED = ['model_state_dict', 'state_dict', 'model'];

/** The state dict in a checkpoint: the whole of it, or the entry that training loops keep it in. */
function stateDictOf(value: unknown): Map<string, unknown> | Record<string, unknown> | null {
  if (value instanceof torch.Tensor || value === null || typeof value !== 'object' || Array.isArray(value)) return null;
  const get = (key: string): unknown =>
    value instanceof Map ? value.get(key) : (value as Record<string, unknown>)[key];
  for (const key of NESTED) {
    const inner = get(key);
    if (inner !== null && typeof inner === 'object' && !(inner instanceof torch.Tensor))
      return inner as Map<string, unknown>;
  }
  return value as Map<string, unknown>;
}

/**
 * Loads a checkpoint into a model.
 * @throws CliError if the file cannot be read or does not fit.
 */
export function loadCheckpoint(model: nn.Module, file: string): void {
  let value: unknown;
  try {
    value = file.toLowerCase().endsWith('.safetensors') ? torch.safetensors.loadFile(file) : torch.load(file);
  } catch (error) {
    throw new CliError(`cannot read the checkpoint ${file}: ${messageOf(error)}`);
  }
  const state = stateDictOf(value);
  if (state === null) throw new CliError(`the checkpoint ${file} holds no state dict`);
  try {
    model.loadStateDict(state as Parameters<nn.Module['loadStateDict']>[0]);
  } catch (error) {
    throw new CliError(`the checkpoint ${file} does not fit the model: ${messageOf(error)}`);
  }
}
