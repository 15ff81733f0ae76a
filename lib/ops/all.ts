// Every row: what is exported here is a function of `torch`, a method of Tensor, or both.
export * from './functions.js';
export * from './methods.js';
