// The package has no types of its own.
declare module 'node-gyp-build' {
  /** Loads the addon of the package in `folder`: its own build, else the prebuilt binary for this machine. */
  function load(folder: string): unknown;
  export = load;
}
