// A model of two inputs.
const { nn, cat } = require('flambeau');

module.exports = class Two extends nn.Module {
  forward(x, y) {
    return cat([x, y], 1);
  }
};
