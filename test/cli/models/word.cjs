// A model that returns no tensor.
const { nn } = require('flambeau');

module.exports = class Word extends nn.Module {
  forward() {
    return 'word';
  }
};
