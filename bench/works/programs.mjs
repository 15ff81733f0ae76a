// A whole small program as a reader of a tutorial writes it: two layers of their own, ten thousand steps. The tensors are
// tiny, so it measures what the library itself costs.

/** The model, its optimizer and one step. */
export function twoLayers(torch) {
  const { nn, optim } = torch;

  class MyLinear extends nn.Module {
    constructor(inputs, outputs) {
      super();
      this.weight = new nn.Parameter(torch.randn(inputs, outputs));
      this.bias = new nn.Parameter(torch.zeros(outputs));
    }

    forward(x) {
      return x.matmul(this.weight).add(this.bias);
    }
  }

  class TwoLayers extends nn.Module {
    constructor() {
      super();
      this.first = new MyLinear(4, 3);
      this.relu = new nn.ReLU();
      this.second = new MyLinear(3, 1);
    }

    forward(x) {
      return this.second(this.relu(this.first(x)));
    }
  }

  const model = new TwoLayers();
  const optimizer = new optim.SGD(model.parameters(), { lr: 1e-4, weightDecay: 1e-2, momentum: 0.9 });
  const x = torch.randn(1, 4);
  return () => {
    optimizer.zeroGrad();
    const loss = model(x).abs();
    loss.backward();
    optimizer.step();
  };
}

export const programs = [
  {
    name: 'two_layer_program',
    about: 'Linear(4, 3), ReLU, Linear(3, 1), abs, SGD with momentum and weight decay: build it and take 10,000 steps',
    once: true,
    make: (torch) => () => {
      const step = twoLayers(torch);
      for (let i = 0; i < 10_000; i++) step();
    },
  },
  { name: 'two_layer_step', about: 'one step of it', make: twoLayers, inner: 20 },
];
