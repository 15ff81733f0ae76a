// The default export: everything of the index in one object, as PyTorch's `torch`.
import * as torch from './index.js';

export default torch;
