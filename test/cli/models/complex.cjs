// A model with complex results.
const { nn, fft } = require('flambeau');

module.exports = class Spectrum extends nn.Module {
  forward(x) {
    return fft.fft(x);
  }
};
