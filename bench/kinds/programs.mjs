// A whole small program as a reader of a tutorial writes it: two layers of their own, ten thousand steps. The tensors are
// tiny, so it measures what the library itself costs.

/** The model, its optimizer and one step. */
function twoLayers(torch) {
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

const program = (torch) => () => {
  const step = twoLayers(torch);
  for (let i = 0; i < 10_000; i++) step();
};

/** a + b of n elements, by `form`: 'function', 'in place', or 'disposed' at once. */
function add(torch, { n, form = 'function' }) {
  const [a, b] = [torch.randn(n), torch.randn(n)];
  if (form === 'in place') return () => a.add_(b);
  return form === 'disposed' ? () => torch.add(a, b).dispose() : () => torch.add(a, b);
}

function view(torch) {
  const a = torch.randn(16);
  return () => a.view(4, 4);
}

/** The gradients of `layers` linear layers of width x width, one after another, by x: [batch, width]. */
function chain(torch, { layers, width, batch }) {
  const { nn } = torch;
  const model = new nn.Sequential(...Array.from({ length: layers }, () => new nn.Linear(width, width)));
  const x = torch.randn(batch, width);
  return () => {
    model.zeroGrad();
    model(x).sum().backward();
  };
}

export const kinds = { program, twoLayers, add, view, chain };
