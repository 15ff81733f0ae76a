// The namespace torch.func: functions that transform functions, and modules as functions.
export { grad, gradAndValue } from './grad.js';
export { hessian, jacfwd, jacrev } from './jacobian.js';
export { functionalCall, stackModuleState } from './module_state.js';
export { jvp, vjp } from './products.js';
export { vmap } from './vmap.js';
