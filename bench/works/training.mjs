// Training steps and inference of a small perceptron and a small convolutional network, batch 64.
const mlp = ({ nn }) =>
  new nn.Sequential(
    new nn.Linear(784, 256),
    new nn.ReLU(),
    new nn.Linear(256, 128),
    new nn.ReLU(),
    new nn.Linear(128, 10),
  );

const cnn = ({ nn }) =>
  new nn.Sequential(
    new nn.Conv2d(1, 16, 3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(800, 10),
  );

const step =
  (network, ...shape) =>
  (torch) => {
    const model = network(torch);
    const [x, y] = [torch.randn(...shape), torch.randint(0, 10, [shape[0]])];
    const optimizer = new torch.optim.Adam(model.parameters(), { lr: 1e-3 });
    return () => {
      optimizer.zeroGrad();
      const loss = torch.nn.functional.crossEntropy(model(x), y);
      loss.backward();
      optimizer.step();
      return loss.item();
    };
  };

const inference =
  (network, ...shape) =>
  (torch) => {
    const model = network(torch);
    const x = torch.randn(...shape);
    return () => torch.noGrad(() => model(x));
  };

export const training = [
  { name: 'mlp_step', about: 'a step of 784-256-128-10, Adam, cross-entropy, batch 64', make: step(mlp, 64, 784) },
  { name: 'mlp_inference', about: 'the same network, forward only', make: inference(mlp, 64, 784) },
  {
    name: 'cnn_step',
    about: 'a step of conv 1-16, pool, conv 16-32, pool, linear 800-10, Adam, batch 64 of 28 x 28',
    make: step(cnn, 64, 1, 28, 28),
  },
  { name: 'cnn_inference', about: 'the same network, forward only', make: inference(cnn, 64, 1, 28, 28) },
];
