// Convolutions alone: the output, the gradient of the input, the gradient of the weight.

/** x: [n, c, size, size], weight: [o, c / groups, kernel, kernel]; `pass` is 'forward', 'input' or 'weight'. */
function conv2d(torch, { n, c, o, size, kernel, stride = 1, padding = 0, groups = 1, pass = 'forward' }) {
  const x = torch.randn(n, c, size, size);
  const weight = torch.randn(o, c / groups, kernel, kernel);
  const options = { stride, padding, groups };
  const convolve = () => torch.nn.functional.conv2d(x, weight, options);
  if (pass === 'forward') return () => torch.noGrad(convolve);
  const wanted = (pass === 'input' ? x : weight).requiresGrad_();
  const out = convolve();
  const g = torch.randn(...out.shape);
  return () => torch.autograd.grad(out, wanted, g, { retainGraph: true });
}

export const kinds = { conv2d };
