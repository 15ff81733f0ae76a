// torch.nn.utils
export { skipInit } from '../init_skip.js';
