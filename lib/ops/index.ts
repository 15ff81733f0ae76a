// The functions of `torch`. Importing this gives Tensor its methods and autograd its arithmetic.
import './install.js';
import './properties.js';

export * from './functions.js';
