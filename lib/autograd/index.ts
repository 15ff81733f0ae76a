// The namespace torch.autograd.
import './members.js';
import { registerMultiGradHook } from './hooks.js';
import { getGradientEdge } from './backward.js';
import { hessian, hvp, jacobian, jvp, vhp, vjp } from './functional.js';
import { Node } from './node.js';
import { disableSavedTensorsHooks, savedTensorsHooks } from './saved.js';
import { incrementVersion } from './version.js';

export { backward, grad, type BackwardOptions, type GradientEdge, type GradOptions } from './backward.js';
export { detectAnomaly, isAnomalyCheckNanEnabled, isAnomalyEnabled, setDetectAnomaly } from './anomaly.js';
export { Function, FunctionContext, onceDifferentiable } from './function.js';
export { gradcheck, GradcheckError, gradgradcheck, type GradcheckOptions } from './gradcheck.js';
export type { FunctionalOptions } from './functional.js';
export { RemovableHandle } from './handle.js';
export {
  enableGrad,
  inferenceMode,
  isGradEnabled,
  isInferenceModeEnabled,
  ModeGuard,
  noGrad,
  setGradEnabled,
} from './mode.js';
export { Node } from './node.js';
export { queueCallback } from './engine.js';

/** Looking at the graph, and changing what it saves: torch.autograd.graph. */
export const graph = {
  Node,
  disableSavedTensorsHooks,
  getGradientEdge,
  incrementVersion,
  registerMultiGradHook,
  savedTensorsHooks,
};

/** Derivatives of functions: torch.autograd.functional. */
export const functional = { hessian, hvp, jacobian, jvp, vhp, vjp };
