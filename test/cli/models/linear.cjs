// A model of two classes over three columns.
const { nn } = require('flambeau');

module.exports = class Classifier extends nn.Module {
  fc = new nn.Linear(3, 2);

  forward(x) {
    return this.fc(x);
  }
};
