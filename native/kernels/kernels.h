// The table of kernels. Every .cc file of this folder is compiled once per instruction set with FLAMBEAU_SET defined to
// baseline, avx2, avx512 or neon, and fills its part of that set's table; ops/ reads the table chosen at load.
#pragma once
#include "kernels/attention.h"
#include "kernels/checksum.h"
#include "kernels/conv.h"
#include "kernels/convert.h"
#include "kernels/cross_entropy.h"
#include "kernels/fft.h"
#include "kernels/gemm.h"
#include "kernels/norm.h"
#include "kernels/optim.h"
#include "kernels/peak.h"
#include "kernels/pointwise.h"
#include "kernels/pool.h"
#include "kernels/reduce.h"
#include "kernels/rnn.h"
#include "kernels/softmax.h"

namespace flambeau {

struct KernelTable {
  const char* set;  // "scalar", "avx2", "avx512" or "neon"
  ConvertKernels convert;
  PointwiseKernels pointwise;
  ReduceKernels reduce;
  GemmKernels gemm;
  ConvKernels conv;
  PoolKernels pool;
  NormKernels norm;
  OptimKernels optim;
  SoftmaxKernels softmax;
  CrossEntropyKernels cross_entropy;
  FftKernels fft;
  PeakKernels peak;
  ChecksumKernels checksum;
  AttentionKernels attention;
  RnnKernels rnn;
};

// The table in use: the best set that the processor has, or the one that FLAMBEAU_ISA names. In a dry run its kernels
// do nothing.
const KernelTable& kernels();

}  // namespace flambeau
