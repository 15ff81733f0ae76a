// Attention and recurrent layers, forward alone or forward and backward.

/** q, k, v: [batch, heads, length, width]. */
function attention(torch, { batch, heads, length, width, causal = false, backward = false }) {
  const [q, k, v] = [0, 1, 2].map(() => torch.randn(batch, heads, length, width));
  const attend = () => torch.nn.functional.scaledDotProductAttention(q, k, v, { isCausal: causal });
  if (!backward) return () => torch.noGrad(attend);
  for (const t of [q, k, v]) t.requiresGrad_();
  const g = torch.randn(batch, heads, length, width);
  return () => torch.autograd.grad(attend(), [q, k, v], g);
}

/** A recurrent layer `name` over x: [length, batch, width]. */
function recurrent(torch, { name, length, batch, width, hidden, layers = 1, backward = false }) {
  const layer = new torch.nn[name](width, hidden, { numLayers: layers });
  const x = torch.randn(length, batch, width);
  if (!backward) return () => torch.noGrad(() => layer(x)[0]);
  const parameters = [...layer.parameters()];
  const g = torch.randn(length, batch, hidden);
  return () => torch.autograd.grad(layer(x)[0], parameters, g);
}

export const kinds = { attention, recurrent };
