// torch.utils
export * as checkpoint from './utils/checkpoint.js';
export * as data from './data/index.js';
export { summary, Summary, type SummaryOptions, type SummaryRow } from './utils/summary.js';
