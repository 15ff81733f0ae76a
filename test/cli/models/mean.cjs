// A model that forgets the rows.
const { nn } = require('flambeau');

exports.Mean = class Mean extends nn.Module {
  forward(x) {
    return x.mean();
  }
};
