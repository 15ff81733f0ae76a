// torch.nn.modules: the layers and containers, and the hooks of all modules.
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
