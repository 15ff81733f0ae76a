// torch.optim.lrScheduler
export { LRScheduler, type SchedulerStateDict } from './base.js';
export { ChainedScheduler, SequentialLR } from './composite.js';
export { CosineAnnealingLR, CosineAnnealingWarmRestarts } from './cosine.js';
export { type CyclicMode, CyclicLR, OneCycleLR } from './cyclic.js';
export { ReduceLROnPlateau } from './plateau.js';
export {
  ConstantLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  type LrLambda,
  MultiplicativeLR,
  MultiStepLR,
  PolynomialLR,
  StepLR,
} from './simple.js';
