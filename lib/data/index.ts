// torch.utils.data
export { type Collated, defaultCollate, defaultConvert } from './collate.js';
export { DataLoader, type DataLoaderOptions, getWorkerInfo } from './data_loader.js';
export {
  ChainDataset,
  ConcatDataset,
  Dataset,
  type DatasetLike,
  IterableDataset,
  type MapDataset,
  randomSplit,
  StackDataset,
  Subset,
  TensorDataset,
} from './dataset.js';
export {
  BatchSampler,
  DistributedSampler,
  RandomSampler,
  Sampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from './sampler.js';
