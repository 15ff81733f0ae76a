// A model whose results may be infinite or no numbers.
const { nn } = require('flambeau');

module.exports = class Log extends nn.Module {
  forward(x) {
    return x.log();
  }
};
