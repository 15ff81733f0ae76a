// The namespace torch.nn.modules: all layers, and the hooks that all modules share.
export * from '../containers/index.js';
export {
  registerModuleBufferRegistrationHook,
  registerModuleForwardHook,
  registerModuleForwardPreHook,
  registerModuleFullBackwardHook,
  registerModuleFullBackwardPreHook,
  registerModuleModuleRegistrationHook,
  registerModuleParameterRegistrationHook,
} from '../hooks.js';
export { Module } from '../module.js';
export * from './index.js';
export { NonDynamicallyQuantizableLinear } from './linear.js';
