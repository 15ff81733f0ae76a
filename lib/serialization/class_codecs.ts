// Python classes that a layer above has counterparts of: modules. The layers above register how their objects are read and
// written; here they are only found. Nothing in a file can reach anything that is not registered.

/** An object as a pickle makes it: a class or function, what it is called with, and the state that it gets then. */
export interface Reduction {
  /** The full Python name of the class or function. */
  readonly name: string;
  readonly args: readonly unknown[];
  /** Whether an object of the class is made without its constructor (`cls.__new__`), or the class or function is called. */
  readonly isNew: boolean;
  /** What `__setstate__` or the object's `__dict__` gets; undefined for nothing. */
  readonly state?: unknown;
}

/** A class whose objects are made first and get their state when the whole pickle is read. */
export interface ClassCodec {
  /** Makes an object that has no state yet. */
  make(): object;
  /** @throws RuntimeError for a state that is not that of the class. */
  setState(target: object, state: unknown): void;
}

/** A value that a Python name stands for: a function that is kept, never called. */
export interface KnownValue {
  readonly value: unknown;
}

/** A class or function that a pickle may call with arguments. */
export interface KnownCall {
  call(args: readonly unknown[]): unknown;
}

/** What a layer knows. */
export interface CodecProvider {
  /** What a full Python name stands for; undefined if it is not known. */
  find(name: string): ClassCodec | KnownValue | KnownCall | undefined;
  /** How objects of a JavaScript class are made that a caller allowed under the name of a Python class. */
  ofClass(fn: object): ClassCodec | undefined;
  /**
   * How a value is written; undefined for one that the layer has nothing to say about.
   * @throws TypeError, saying what cannot be saved and what to do, for one that is the layer's and cannot be written.
   */
  reduce(value: object): Reduction | undefined;
  /** The full Python name of a class or function. */
  nameOf(fn: object): string | undefined;
}

const providers: CodecProvider[] = [];

/** Adds what a layer knows. */
export function registerCodecs(provider: CodecProvider): void {
  providers.push(provider);
}

function first<T>(ask: (provider: CodecProvider) => T | undefined): T | undefined {
  for (const provider of providers) {
    const found = ask(provider);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a full Python name stands for in the layers above. */
export function findKnown(name: string): ClassCodec | KnownValue | KnownCall | undefined {
  return first((provider) => provider.find(name));
}

/** How objects of a JavaScript class are made that a caller allowed, where a layer above has a rule for it. */
export function codecOfClass(fn: object): ClassCodec | undefined {
  return first((provider) => provider.ofClass(fn));
}

/** How a layer above writes a value. */
export function reduce(value: object): Reduction | undefined {
  return first((provider) => provider.reduce(value));
}

/** The full Python name of a class or function of a layer above. */
export function nameOfFunction(fn: object): string | undefined {
  return first((provider) => provider.nameOf(fn));
}
