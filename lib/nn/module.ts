// The base class of everything that has parameters.
import type { DeviceLike } from '../core/device.js';
import type { ModuleMetadata, StateDict } from '../core/containers.js';
import type { DType } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { emptyLike } from '../ops/index.js';
import type { Parameter } from '../tensor/parameter.js';
import { isLazy } from './parameter.js';
import type { Tensor } from '../tensor/tensor.js';
import { applyToTensors, conversion, type ToOptions } from './module_apply.js';
import {
  createModule,
  type DELETE_INDEX,
  getAttribute,
  hasAttribute,
  IS_MODULE,
  isModule,
  type Registry,
  registerBuffer,
  registerModule,
  registerParameter,
  SET_INDEX,
} from './module_attributes.js';
import { callDirect, type ModuleCall } from './module_call.js';
import { HookedModule, type Unchecked } from './module_hooks.js';
import { bound, checkOptions, type Flag, type MemberArguments } from './module_options.js';
import { describeModule, typeName } from './printing.js';
import {
  collectStateDict,
  type IncompatibleKeys,
  loadFromStateDict,
  loadStateDict,
  saveToStateDict,
  type StateDictLike,
  type StateDictOptions,
} from './state.js';

export interface Module {
  /** Calls the module: pre-hooks, `forward`, hooks. Arguments and result are those of `forward`. */
  (...args: Parameters<this['forward']>): ReturnType<this['forward']>;
  /** @internal A list container's rule for `list[name] = value`; returns whether it took the value. */
  [SET_INDEX]?(name: string, value: unknown): boolean;
  /** @internal Its rule for `delete list[index]`. */
  [DELETE_INDEX]?(index: number): void;
}

/**
 * The base class of layers and models. Parameters, modules and buffers that are assigned to `this` are registered:
 *
 *     class Net extends nn.Module {
 *       fc = new nn.Linear(4, 3);
 *       forward(x: Tensor) { return F.relu(this.fc(x)); }
 *     }
 *
 * A module is called like a function. `state`, hooks, copies and printing follow PyTorch's `torch.nn.Module`.
 */
export class Module extends HookedModule {
  /** The version of the state dict that the class writes; subclasses raise it and read older ones. */
  static readonly _version: number = 1;

  /** Whether the module is in training mode (dropout, batch statistics), as opposed to evaluation. */
  declare training: boolean;
  declare _parameters: Registry<Parameter>;
  declare _buffers: Registry<Tensor>;
  declare _nonPersistentBuffersSet: Set<string>;
  declare _modules: Registry<Module>;
  /** @internal What `compile` put in the place of the call. */ declare _compiledCall: ModuleCall | null;
  /** @internal */ declare readonly [IS_MODULE]: true;

  constructor() {
    super();
    // biome-ignore lint/correctness/noConstructorReturn: a module is callable, which an object made by `new` is not
    return createModule(new.target.prototype) as this;
  }

  /**
   * What the module computes. Subclasses override it; callers call the module itself, which also runs its hooks.
   * @throws RuntimeError if a subclass has none.
   */
  override forward(..._inputs: Unchecked[]): Unchecked {
    throw new RuntimeError(`Module [${this._getName()}] is missing the required "forward" function`);
  }

  // ---- Registration

  /**
   * Registers a parameter under `this[name]`.
   * @param name a name without dots that nothing else has
   * @param param the parameter; null reserves the name
   * @throws TypeError for a value that is no Parameter, RuntimeError for a name that is taken or has a dot.
   */
  registerParameter(name: string, param: Parameter | null): void {
    registerParameter(this, name, param);
  }

  /**
   * Registers a tensor that is state but no parameter under `this[name]`.
   * @param name a name without dots that nothing else has
   * @param tensor the tensor; null reserves the name
   * @param persistent whether the state dict has it; default true. Also as `{ persistent }`.
   * @throws TypeError for a value that is no tensor, RuntimeError for a name that is taken or has a dot.
   */
  registerBuffer(name: string, tensor: Tensor | null, ...persistent: Flag<'persistent'>): void {
    registerBuffer(this, name, tensor, bound.persistent(persistent)[0]);
  }

  /**
   * Registers a submodule under `this[name]`.
   * @param name a name without dots that nothing else has
   * @param module the module; null reserves the name
   * @throws TypeError for a value that is no module, RuntimeError for a name that is taken or has a dot.
   */
  addModule(name: string, module: Module | null): void {
    registerModule(this, name, module);
  }

  /** The same as `addModule`. */
  registerModule(name: string, module: Module | null): void {
    this.addModule(name, module);
  }

  // ---- Looking things up

  /**
   * The submodule at a path.
   * @param target the path, like `'encoder.layers.0'`; '' is the module itself
   * @throws RuntimeError if a step of the path does not exist or is no module.
   */
  getSubmodule(target: string): Module {
    if (target === '') return this;
    let at: Module = this;
    for (const name of target.split('.')) {
      if (!hasAttribute(at, name)) throw new RuntimeError(`${at._getName()} has no attribute \`${name}\``);
      const next = getAttribute(at, name);
      if (!isModule(next)) throw new RuntimeError(`\`${name}\` is not an nn.Module`);
      at = next;
    }
    return at;
  }

  /**
   * Puts a module at a path. The parent must exist.
   * @param target the path, like `'encoder.layers.0'`
   * @param module what to put there
   * @param strict whether there must be a module at the path already; default false. Also as `{ strict }`.
   * @throws RuntimeError if the path does not lead to a module; TypeError for something that is no module.
   */
  setSubmodule(target: string, module: Module, ...strict: Flag<'strict'>): void {
    const [mustExist] = bound.strict(strict);
    if (target === '') throw new RuntimeError('Cannot set the submodule without a target name!');
    if (!isModule(module)) throw new TypeError(`\`module\` is not an nn.Module, found ${typeName(module)}`);
    const cut = target.lastIndexOf('.');
    const parent = this.getSubmodule(cut < 0 ? '' : target.slice(0, cut));
    const name = target.slice(cut + 1);
    if (hasAttribute(parent, name)) {
      if (!isModule(getAttribute(parent, name))) throw new RuntimeError(`\`${name}\` is not an nn.Module`);
    } else if (mustExist) {
      throw new RuntimeError(`${parent._getName()} has no attribute \`${name}\``);
    }
    (parent as unknown as Record<string, unknown>)[name] = module;
  }

  /**
   * The parameter at a path.
   * @param target the path, like `'fc.weight'`
   * @throws RuntimeError if there is none.
   */
  getParameter(target: string): Parameter {
    const [module, name, value] = this._lookUp(target);
    if (!module._parameters.has(name) || value === null) throw new RuntimeError(`\`${name}\` is not an nn.Parameter`);
    return value as Parameter;
  }

  /**
   * The buffer at a path.
   * @param target the path, like `'bn.running_mean'`
   * @throws RuntimeError if there is none.
   */
  getBuffer(target: string): Tensor {
    const [module, name, value] = this._lookUp(target);
    if (!module._buffers.has(name)) throw new RuntimeError(`\`${name}\` is not a buffer`);
    return value as Tensor;
  }

  /** @internal The last step of a path: its module, its name, what is there. */
  _lookUp(target: string): [Module, string, unknown] {
    const cut = target.lastIndexOf('.');
    const module = this.getSubmodule(cut < 0 ? '' : target.slice(0, cut));
    const name = target.slice(cut + 1);
    if (!hasAttribute(module, name)) throw new RuntimeError(`${module._getName()} has no attribute \`${name}\``);
    return [module, name, getAttribute(module, name)];
  }

  // ---- Iterating

  /**
   * All parameters, each once, the module's own before those of its children.
   * @param recurse whether those of submodules count; default true. Also as `{ recurse }`.
   */
  *parameters(...recurse: Flag<'recurse'>): IterableIterator<Parameter> {
    for (const [, param] of this.namedParameters('', ...bound.parameters(recurse))) yield param;
  }

  /**
   * All parameters with their paths, the module's own before those of its children.
   * @param args `prefix` (default ''): put before every name; `recurse` (default true): whether those of submodules count;
   *   `removeDuplicate` (default true): whether a shared parameter comes once only. By position or in an object.
   */
  namedParameters(...args: MemberArguments): IterableIterator<[string, Parameter]> {
    return this._namedMembers((m) => m._parameters, ...bound.namedParameters(args));
  }

  /**
   * All buffers, each once.
   * @param recurse whether those of submodules count; default true. Also as `{ recurse }`.
   */
  *buffers(...recurse: Flag<'recurse'>): IterableIterator<Tensor> {
    for (const [, buffer] of this.namedBuffers('', ...bound.buffers(recurse))) yield buffer;
  }

  /**
   * All buffers with their paths.
   * @param args prefix (default ''), recurse (default true), removeDuplicate (default true): as for `namedParameters`.
   */
  namedBuffers(...args: MemberArguments): IterableIterator<[string, Tensor]> {
    return this._namedMembers((m) => m._buffers, ...bound.namedBuffers(args));
  }

  /** The direct submodules, each once. */
  *children(): IterableIterator<Module> {
    for (const [, child] of this.namedChildren()) yield child;
  }

  /** The direct submodules with their names. */
  *namedChildren(): IterableIterator<[string, Module]> {
    const seen = new Set<Module>();
    for (const [name, child] of this._modules) {
      if (child === null || seen.has(child)) continue;
      seen.add(child);
      yield [name, child];
    }
  }

  /**
   * The module and all below it, parents before children.
   * @param removeDuplicate whether a shared module comes once only; default true. Also as `{ removeDuplicate }`.
   */
  *modules(...removeDuplicate: Flag<'removeDuplicate'>): IterableIterator<Module> {
    const [once] = bound.modules(removeDuplicate);
    for (const [, module] of this.namedModules(null, '', once)) yield module;
  }

  /**
   * The module itself (under the name `prefix`) and all below it with their paths.
   * @param memo modules that do not come (again); default none. The arguments also as `{ memo, prefix, removeDuplicate }`.
   * @param prefix the name of the module itself; default ''.
   * @param removeDuplicate whether a shared module comes once only; default true.
   */
  *namedModules(
    memo?: Set<Module> | null | { memo?: Set<Module> | null; prefix?: string; removeDuplicate?: boolean },
    prefix = '',
    removeDuplicate = true,
  ): IterableIterator<[string, Module]> {
    if (memo && !(memo instanceof Set)) {
      checkOptions('namedModules', memo, ['memo', 'prefix', 'removeDuplicate']);
      yield* this.namedModules(memo.memo ?? null, memo.prefix, memo.removeDuplicate);
      return;
    }
    const seen = memo ?? new Set<Module>();
    if (seen.has(this)) return;
    if (removeDuplicate) seen.add(this);
    yield [prefix, this];
    for (const [name, child] of this._modules) {
      if (child !== null) yield* child.namedModules(seen, prefix === '' ? name : `${prefix}.${name}`, removeDuplicate);
    }
  }

  /** @internal */
  *_namedMembers<T extends object>(
    members: (module: Module) => Iterable<readonly [string, T | null]>,
    prefix: string,
    recurse: boolean,
    removeDuplicate: boolean,
  ): IterableIterator<[string, T]> {
    const seen = new Set<T>();
    const owners: Iterable<[string, Module]> = recurse
      ? this.namedModules(null, prefix, removeDuplicate)
      : [[prefix, this]];
    for (const [path, owner] of owners) {
      for (const [name, value] of members(owner)) {
        if (value === null || seen.has(value)) continue;
        if (removeDuplicate) seen.add(value);
        yield [path === '' ? name : `${path}.${name}`, value];
      }
    }
  }

  // ---- Modes and conversions

  /**
   * Sets the mode here and below: dropout and batch statistics are active in training.
   * @param mode true (default) for training, false for evaluation
   * @returns the module
   * @throws TypeError unless `mode` is a boolean.
   */
  train(mode = true): this {
    if (typeof mode !== 'boolean') throw new TypeError('training mode is expected to be boolean');
    this.training = mode;
    for (const child of this.children()) child.train(mode);
    return this;
  }

  /**
   * Sets evaluation mode here and below: `train(false)`.
   * @returns the module
   */
  eval(): this {
    return this.train(false);
  }

  /**
   * Sets whether parameters, here and below, require a gradient.
   * @param requiresGrad default true
   * @returns the module
   */
  requiresGrad_(requiresGrad = true): this {
    for (const param of this.parameters()) param.requiresGrad_(requiresGrad);
    return this;
  }

  /** Whether a lazy module among this one's own parameters and buffers still waits for its first input. */
  hasUninitializedParams(): boolean {
    return [...this._parameters.values(), ...this._buffers.values()].some((t) => isLazy(t));
  }

  /**
   * Forgets the gradients of all parameters.
   * @param setToNone whether `grad` becomes null, not a tensor of zeros; default true. Also as `{ setToNone }`.
   */
  zeroGrad(...setToNone: Flag<'setToNone'>): void {
    const [drop] = bound.zeroGrad(setToNone);
    for (const param of this.parameters()) {
      const { grad } = param;
      if (grad === null) continue;
      if (drop) {
        param.grad = null;
        continue;
      }
      if (grad.gradFn !== null) grad.detach_();
      else grad.requiresGrad_(false);
      grad.zero_();
    }
  }

  /**
   * Calls a function with every submodule, children before parents, and with the module itself.
   * @param fn what to call; its result is ignored
   * @returns the module
   */
  apply(fn: (module: Module) => unknown): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** @internal Replaces every parameter, gradient and buffer by `fn` of it. Subclasses with caches override it. */
  _apply(fn: (t: Tensor) => Tensor, recurse = true): this {
    applyToTensors(this, fn, recurse);
    return this;
  }

  /**
   * Moves parameters and buffers to a device, floating-point and complex ones also to a dtype. In place.
   * @param device where to; null stays. A tensor stands for its device and dtype.
   * @param dtype a floating-point or complex type (default: each keeps its own)
   * @param nonBlocking accepted (default false). All also as `{ device, dtype, nonBlocking, memoryFormat }`.
   * @returns the module
   * @throws TypeError for a dtype that is neither floating-point nor complex; RuntimeError from the meta device to another one.
   */
  to(device: DeviceLike | null, dtype?: DType | null, nonBlocking?: boolean): this;
  to(dtype: DType, nonBlocking?: boolean): this;
  to(tensor: Tensor, nonBlocking?: boolean): this;
  to(options: ToOptions): this;
  to(...args: unknown[]): this {
    return this._apply(conversion(args));
  }

  /**
   * Converts all parameters and buffers to a dtype, integers too.
   * @param dstType the dtype, or its older name, as `'torch.DoubleTensor'`
   * @returns the module
   */
  type(dstType: DType | string): this {
    return this._apply((t) => t.type(dstType));
  }

  /** Converts floating-point parameters and buffers to float32. */
  float(): this {
    return this._apply((t) => (t.isFloatingPoint() ? t.float() : t));
  }

  /** Converts floating-point parameters and buffers to float64. */
  double(): this {
    return this._apply((t) => (t.isFloatingPoint() ? t.double() : t));
  }

  /** Converts floating-point parameters and buffers to float16. */
  half(): this {
    return this._apply((t) => (t.isFloatingPoint() ? t.half() : t));
  }

  /** Converts floating-point parameters and buffers to bfloat16. */
  bfloat16(): this {
    return this._apply((t) => (t.isFloatingPoint() ? t.bfloat16() : t));
  }

  /** Moves all parameters and buffers to the processor. */
  cpu(): this {
    return this._apply((t) => t.cpu());
  }

  /**
   * Moves all parameters and buffers to a CUDA device.
   * @param device its number or name (default null: the current one)
   * @throws RuntimeError where there is none.
   */
  cuda(device?: number | DeviceLike | null): this {
    const name = typeof device === 'number' ? `cuda:${device}` : (device ?? 'cuda');
    return this._apply((t) => t.to(name));
  }

  /** Lets other threads open the memory of all parameters and buffers; see `torch.shareTensor`. */
  shareMemory(): this {
    return this._apply((t) => t.shareMemory_());
  }

  /**
   * Moves parameters and buffers to a device without copying their values, which are then whatever the memory holds.
   * @param options `device`: where to; `recurse` (default true): whether submodules move too.
   * @returns the module
   * @throws TypeError without a device and for an unknown option.
   */
  toEmpty(options: { device: DeviceLike | null; recurse?: boolean }): this {
    checkOptions('toEmpty', options, ['device', 'recurse']);
    if (options.device === undefined) throw new TypeError("toEmpty() missing a required argument: 'device'");
    return this._apply((t) => emptyLike(t, { device: options.device }), options.recurse ?? true);
  }

  /**
   * Hands the module's call over to a function that `backend` makes of it. There is no compiler: without a backend the
   * module goes on as before.
   * @param options `backend`: takes the call as a function and returns the one to use.
   */
  compile(options: { backend?: ((call: ModuleCall) => ModuleCall) | null } = {}): void {
    checkOptions('compile', options, ['backend']);
    this._compiledCall = options.backend ? options.backend(callDirect) : null;
  }

  // ---- State

  /**
   * All parameters and persistent buffers by path. They share the module's memory.
   * @param options `destination`, `prefix`, `keepVars`: see StateDictOptions.
   * @returns a Map whose `_metadata` holds the version of every module's entries.
   */
  stateDict(options: StateDictOptions = {}): StateDict<Tensor> {
    checkOptions('stateDict', options, ['destination', 'prefix', 'keepVars']);
    const { _version } = this.constructor as typeof Module;
    return collectStateDict(this, _version, options) as StateDict<Tensor>;
  }

  /**
   * Copies the values of a state dict into the module's parameters and buffers.
   * @param state a state dict, a Map or a plain object of tensors by path.
   * @param strict whether missing and unexpected keys are errors; default true. Also as `{ strict, assign }`.
   * @param assign whether the tensors themselves take the place of the parameters, dtype and all; default false.
   * @returns `{ missingKeys, unexpectedKeys }`.
   * @throws RuntimeError that lists everything that does not fit; TypeError if `state` is no mapping.
   */
  loadStateDict(
    state: StateDictLike,
    ...args: [options: { strict?: boolean; assign?: boolean }] | [strict?: boolean, assign?: boolean]
  ): IncompatibleKeys {
    return loadStateDict(this, state, ...bound.loadStateDict(args));
  }

  /** @internal Puts the module's own entries into a state dict. Subclasses with other entries override it. */
  _saveToStateDict(destination: StateDict, prefix: string, keepVars: boolean): void {
    saveToStateDict(this, Module.prototype, destination, prefix, keepVars);
  }

  /** @internal Takes the module's own entries. Subclasses that read older versions override it and call it last. */
  _loadFromStateDict(
    stateDict: StateDict,
    prefix: string,
    localMetadata: ModuleMetadata,
    strict: boolean,
    missingKeys: string[],
    unexpectedKeys: string[],
    errorMsgs: string[],
  ): void {
    loadFromStateDict(
      this,
      Module.prototype,
      stateDict,
      prefix,
      localMetadata,
      strict,
      missingKeys,
      unexpectedKeys,
      errorMsgs,
    );
  }

  /**
   * State beside tensors for the state dict. A class that has some overrides this and `setExtraState`.
   * @throws RuntimeError where it is not overridden.
   */
  getExtraState(): unknown {
    throw new RuntimeError(`${this._getName()} has no extra state: override getExtraState and setExtraState together`);
  }

  /**
   * Takes what `getExtraState` gave. A class that has such state overrides both.
   * @throws RuntimeError where it is not overridden.
   */
  setExtraState(_state: unknown): void {
    throw new RuntimeError(`${this._getName()} has no extra state: override getExtraState and setExtraState together`);
  }

  // ---- Printing

  /** The name that the module prints under: its class. */
  _getName(): string {
    return (this.constructor as { name: string }).name;
  }

  /** The settings that printing shows, one line or several; '' for none. Subclasses override it. */
  extraRepr(): string {
    return '';
  }

  /** The module and all below it, as PyTorch prints it. */
  override toString(): string {
    return describeModule(this._getName(), this.extraRepr(), this._modules);
  }

  /** The printed text: a module has no JSON of its own. */
  toJSON(): string {
    return this.toString();
  }

  /** What Node's console shows: the printed text. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

Object.defineProperty(Module.prototype, IS_MODULE, { value: true });
