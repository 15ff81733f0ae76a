// Whole networks: a training step, or inference.
import { networks } from './models.mjs';

const optimizers = {
  sgd: (torch, parameters) => new torch.optim.SGD(parameters, { lr: 1e-3, momentum: 0.9 }),
  adam: (torch, parameters) => new torch.optim.Adam(parameters, { lr: 1e-3 }),
  adamw: (torch, parameters) => new torch.optim.AdamW(parameters, { lr: 1e-4 }),
};

/** zeroGrad, forward, cross-entropy, backward, step; returns the loss, so that the work is done. */
function training(torch, { network, optimizer = 'adam' }) {
  const { model, x, y } = networks[network](torch);
  const stepper = optimizers[optimizer](torch, model.parameters());
  return () => {
    stepper.zeroGrad();
    const out = model(x);
    const loss = torch.nn.functional.crossEntropy(out.reshape(-1, out.shape.at(-1)), y.reshape(-1));
    loss.backward();
    stepper.step();
    return loss.item();
  };
}

function inference(torch, { network }) {
  const { model, x } = networks[network](torch);
  model.eval();
  return () => torch.inferenceMode(() => model(x));
}

export const kinds = { training, inference };
