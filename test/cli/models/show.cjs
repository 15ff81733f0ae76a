// A model that gives back what it gets.
const { nn } = require('flambeau');

module.exports = new nn.Identity();
