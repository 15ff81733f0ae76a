// The namespace torch.nn.
export * from './containers/index.js';
export * as functional from './functional/index.js';
export * as init from './init.js';
export { Module } from './module.js';
export * from './modules/index.js';
export * as modules from './modules/namespace.js';
export { Buffer, Parameter, UninitializedBuffer, UninitializedParameter } from './parameter.js';
export * as utils from './utils/index.js';
import './modules/forward_takes.js';
import './pickling/index.js';
