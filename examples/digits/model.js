// The network of the digits example. Plain JavaScript, so that `flambeau infer --model` can load it as it is.
const { F, nn } = require('flambeau');

/** @typedef {import('flambeau').Tensor} Tensor */

/** Two convolutions, each normalised over the batch, and two linear layers. */
class DigitNet extends nn.Module {
  conv1 = new nn.Conv2d(1, 16, 3, { padding: 1 });
  bn1 = new nn.BatchNorm2d(16);
  conv2 = new nn.Conv2d(16, 32, 3, { padding: 1 });
  bn2 = new nn.BatchNorm2d(32);
  dropout = new nn.Dropout(0.4);
  fc1 = new nn.Linear(32 * 4 * 4, 64);
  fc2 = new nn.Linear(64, 10);

  /**
   * @param {Tensor} x pixels from 0 to 16, [N, 64]
   * @returns {Tensor} a score for each digit, [N, 10]
   */
  forward(x) {
    const pictures = x.div(16).view(x.size(0), 1, 8, 8);
    const edges = F.relu(this.bn1(this.conv1(pictures)));
    const parts = F.maxPool2d(F.relu(this.bn2(this.conv2(edges))), 2);
    return this.fc2(F.relu(this.fc1(this.dropout(parts.flatten(1)))));
  }
}

module.exports = { DigitNet };
