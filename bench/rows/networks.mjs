// Whole networks.
const training = (name, network, about, optimizer) => ({
  name,
  group: 'training steps',
  about: `a step of ${about}`,
  kind: 'training',
  args: { network, optimizer },
});
const inference = (name, network, about) => ({
  name,
  group: 'inference',
  about,
  kind: 'inference',
  args: { network },
});

const CNN = 'conv 1-16, pool, conv 16-32, pool, linear 800-10 on 64 images of 28 x 28';

export const rows = [
  training('mlp_step', 'mlp', '784-256-128-10, Adam, batch 64', 'adam'),
  training('mlp512_step', 'mlp512', '784-512-10, Adam, batch 64', 'adam'),
  training('cnn_step', 'cnn', `${CNN}, Adam`, 'adam'),
  training('resnet18_step', 'resnet18_32', 'ResNet-18 on 32 images of 3 x 32 x 32, SGD with momentum', 'sgd'),
  training('gpt_step', 'gpt', 'a GPT of 6 layers, width 384, length 256, batch 8, AdamW', 'adamw'),
  training('lstm_step', 'lstm', '2 LSTM layers of 256, length 64, batch 32, Adam', 'adam'),
  inference('mlp_inference', 'mlp', '784-256-128-10, batch 64'),
  inference('cnn_inference', 'cnn', CNN),
  inference('resnet18_inference', 'resnet18_224', 'ResNet-18 on one image of 224 x 224'),
  inference('bert_inference', 'bert', 'the encoder of BERT-base on one sequence of 128'),
];
