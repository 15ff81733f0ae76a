#include "kernels/pool.h"

#include "kernels/pool_avg.h"
#include "kernels/pool_max.h"
#include "kernels/pool_places.h"
#include "kernels/set.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

void max_forward(DType type, const PoolShape& s, const void* x, void* y, int64_t* indices) {
  switch (type) {
    case DType::F32: return max_forward_as(s, static_cast<const float*>(x), static_cast<float*>(y), indices);
    case DType::F64: return max_forward_as(s, static_cast<const double*>(x), static_cast<double*>(y), indices);
    case DType::I64: return max_forward_as(s, static_cast<const int64_t*>(x), static_cast<int64_t*>(y), indices);
    default: return;  // ops/ has converted the other types
  }
}

bool max_backward(DType type, int64_t planes, int64_t in_size, int64_t out_size, const void* gy, const int64_t* indices,
                  void* gx) {
  if (type == DType::F32) {
    return max_backward_as(planes, in_size, out_size, static_cast<const float*>(gy), indices, static_cast<float*>(gx));
  }
  return type == DType::F64 &&
         max_backward_as(planes, in_size, out_size, static_cast<const double*>(gy), indices, static_cast<double*>(gx));
}

void avg_forward(DType type, const PoolShape& s, const void* x, void* y) {
  switch (type) {
    case DType::F32: return avg_forward_as(s, static_cast<const float*>(x), static_cast<float*>(y));
    case DType::F64: return avg_forward_as(s, static_cast<const double*>(x), static_cast<double*>(y));
    case DType::I64: return avg_forward_as(s, static_cast<const int64_t*>(x), static_cast<int64_t*>(y));
    default: return;
  }
}

void avg_backward(DType type, const PoolShape& s, const void* gy, void* gx) {
  if (type == DType::F32) {
    avg_backward_as(s, static_cast<const float*>(gy), static_cast<float*>(gx));
  } else if (type == DType::F64) {
    avg_backward_as(s, static_cast<const double*>(gy), static_cast<double*>(gx));
  }
}

void adaptive_avg_forward(DType type, const PoolShape& s, const void* x, void* y) {
  if (type == DType::F32) {
    adaptive_avg_forward_as(s, static_cast<const float*>(x), static_cast<float*>(y));
  } else if (type == DType::F64) {
    adaptive_avg_forward_as(s, static_cast<const double*>(x), static_cast<double*>(y));
  }
}

void adaptive_avg_backward(DType type, const PoolShape& s, const void* gy, void* gx) {
  if (type == DType::F32) {
    adaptive_avg_backward_as(s, static_cast<const float*>(gy), static_cast<float*>(gx));
  } else if (type == DType::F64) {
    adaptive_avg_backward_as(s, static_cast<const double*>(gy), static_cast<double*>(gx));
  }
}

void adaptive_max_forward(DType type, const PoolShape& s, const void* x, void* y, int64_t* indices) {
  if (type == DType::F32) {
    adaptive_max_forward_as(s, static_cast<const float*>(x), static_cast<float*>(y), indices);
  } else if (type == DType::F64) {
    adaptive_max_forward_as(s, static_cast<const double*>(x), static_cast<double*>(y), indices);
  }
}

void scatter_places(DType type, const PoolShape& s, const void* gy, const uint8_t* places, void* gx) {
  if (type == DType::F32) {
    scatter_places_as(s, static_cast<const float*>(gy), places, static_cast<float*>(gx));
  } else if (type == DType::F64) {
    scatter_places_as(s, static_cast<const double*>(gy), places, static_cast<double*>(gx));
  }
}

}  // namespace

void fill(PoolKernels& k) {
  k.max_forward = max_forward;
  k.max_backward = max_backward;
  k.avg_forward = avg_forward;
  k.avg_backward = avg_backward;
  k.adaptive_avg_forward = adaptive_avg_forward;
  k.adaptive_avg_backward = adaptive_avg_backward;
  k.adaptive_max_forward = adaptive_max_forward;
  k.scatter_places = scatter_places;
}

}  // namespace FLAMBEAU_SET
}  // namespace flambeau
