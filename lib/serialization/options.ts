// Checks of options objects that the loading and saving functions share.

/** @throws TypeError for an unknown option or one of the wrong kind. */
export function checkOptions(caller: string, options: object, known: ReadonlySet<string>): void {
  if (options === null || typeof options !== 'object') throw new TypeError(`${caller}: the options must be an object`);
  for (const key of Object.keys(options)) {
    if (!known.has(key)) throw new TypeError(`${caller} got an unexpected keyword argument '${key}'`);
  }
}

/** @throws TypeError unless the option is absent or a boolean. */
export function checkFlag(caller: string, name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new TypeError(`${caller}: argument '${name}' must be bool, not ${typeof value}`);
  }
}

/** @throws TypeError where a file is to be mapped that is no file, or `mmap` is no boolean. */
export function checkMapping(caller: string, file: unknown, mmap: boolean | undefined): void {
  checkFlag(caller, 'mmap', mmap);
  if (mmap && typeof file !== 'string' && !(file instanceof URL)) {
    throw new TypeError(`${caller}: argument 'file' must be a file path in order to use the mmap argument`);
  }
}
