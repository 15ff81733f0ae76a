// Finding a model in a JavaScript module or a file of a whole module, and its weights in a checkpoint.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import torch, { type nn } from '../index.js';
import { readTensors } from './checkpoint.js';
import { CliError, cannotRead, messageOf } from './errors.js';

type ModelClass = new () => nn.Module;

const isModel = (value: unknown): value is nn.Module => value instanceof torch.nn.Module;

const isModelClass = (value: unknown): value is ModelClass =>
  typeof value === 'function' && (value as { prototype?: unknown }).prototype instanceof torch.nn.Module;

/** Whether a value is a model, or a class of models, of another copy of this package: its tensors are not ours. */
function isForeign(value: unknown): boolean {
  if (typeof value !== 'function' || isModel(value) || isModelClass(value)) return false;
  const prototype: unknown = (value as { prototype?: unknown }).prototype;
  return 'loadStateDict' in value || (typeof prototype === 'function' && 'loadStateDict' in prototype);
}

/** The model that a module's exports hold: the default export, `createModel`, or the only model there is. */
async function modelOf(exports: Record<string, unknown>, file: string): Promise<nn.Module> {
  const inner = exports['default'];
  // A CommonJS module comes as `default` with its own exports inside.
  const nested = inner !== null && typeof inner === 'object' ? (inner as Record<string, unknown>) : {};
  const all = { ...nested, ...exports };
  let chosen: unknown = nested['default'] ?? (typeof inner === 'function' ? inner : undefined) ?? all['createModel'];
  if (chosen === undefined) {
    const found = [...new Set(Object.values(all).filter((v) => isModel(v) || isModelClass(v) || isForeign(v)))];
    if (found.length > 1) throw new CliError(`${file} exports several models; make one the default export`);
    chosen = found[0];
  }
  if (isModelClass(chosen)) return new chosen();
  if (isModel(chosen)) return chosen;
  if (isForeign(chosen)) throw new CliError(`${file} uses another copy of flambeau; run that copy's command line`);
  if (typeof chosen === 'function') {
    const made = await (chosen as () => unknown)();
    if (isModel(made)) return made;
    if (isForeign(made)) throw new CliError(`${file} uses another copy of flambeau; run that copy's command line`);
  }
  throw new CliError(`${file} exports no model: a Module class, a function that makes a Module, or a Module`);
}

async function importModel(file: string): Promise<nn.Module> {
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

/** A model that `torch.save(model)` wrote whole. */
function loadWhole(file: string): nn.Module {
  let value: unknown;
  try {
    value = torch.load(file, { weightsOnly: false });
  } catch (error) {
    throw cannotRead(file, error);
  }
  if (isModel(value)) return value;
  throw new CliError(
    `${file} holds no whole module; if it holds weights, name the module with --model and this file with --checkpoint`,
  );
}

/**
 * Loads a model.
 * @param file a JavaScript module that exports one, or a .pt or .pth file of a whole module.
 * @param checkpoint weights for it.
 * @throws CliError if a file is missing, cannot be loaded, holds no model, or the weights do not fit.
 */
export async function loadModel(file: string, checkpoint: string | undefined): Promise<nn.Module> {
  if (!existsSync(file) || !statSync(file).isFile()) throw new CliError(`${file}: no such file`);
  const model = /\.(pt|pth|bin)$/i.test(file) ? loadWhole(file) : await importModel(file);
  if (checkpoint !== undefined) await loadCheckpoint(model, checkpoint);
  return model;
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

async function loadCheckpoint(model: nn.Module, file: string): Promise<void> {
  const state = stateDictOf(await readTensors(file));
  if (state === null) throw new CliError(`the checkpoint ${file} holds no state dict`);
  try {
    model.loadStateDict(state as Parameters<nn.Module['loadStateDict']>[0]);
  } catch (error) {
    throw new CliError(`the checkpoint ${file} does not fit the model: ${messageOf(error)}`);
  }
}
