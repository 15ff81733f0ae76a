#include "kernels/norm.h"

#include "kernels/norm_channel.h"
#include "kernels/norm_row.h"
#include "kernels/set.h"

namespace flambeau {
namespace FLAMBEAU_SET {
namespace {

// A pointer of the element type that f is called with.
struct In {
  const void* p;
  template <class T>
  operator const T*() const {
    return static_cast<const T*>(p);
  }
};
struct Out {
  void* p;
  template <class T>
  operator T*() const {
    return static_cast<T*>(p);
  }
};

template <class T>
void row_backward_as(const RowNorm& s, const T* gy, const T* x, const T* mean, const T* rstd, const T* weight, T* gx,
                     T* gweight, T* gbias) {
  if (gx && s.n > 0 && (gweight || gbias)) {
    if (joined<T>(s)) return row_backward_joined(s, gy, x, mean, rstd, weight, gx, gweight, gbias);
    if (joined_by_groups(s, weight)) return row_backward_by_groups(s, gy, x, mean, rstd, weight, gx, gweight, gbias);
  }
  if (gx && s.n > 0) row_backward_input(s, gy, x, mean, rstd, weight, gx);
  if (gweight || gbias) row_backward_affine(s, gy, x, mean, rstd, gweight, gbias);
}

void row_forward(DType type, const RowNorm& s, const void* x, const void* weight, const void* bias, double eps, void* y,
                 void* mean, void* rstd) {
  if (type == DType::F32) {
    row_forward_as<float>(s, In{x}, In{weight}, In{bias}, eps, Out{y}, Out{mean}, Out{rstd});
  } else if (type == DType::F64) {
    row_forward_as<double>(s, In{x}, In{weight}, In{bias}, eps, Out{y}, Out{mean}, Out{rstd});
  }
}

void row_backward(DType type, const RowNorm& s, const void* gy, const void* x, const void* mean, const void* rstd,
                  const void* weight, void* gx, void* gweight, void* gbias) {
  if (type == DType::F32) {
    row_backward_as<float>(s, In{gy}, In{x}, In{mean}, In{rstd}, In{weight}, Out{gx}, Out{gweight}, Out{gbias});
  } else if (type == DType::F64) {
    row_backward_as<double>(s, In{gy}, In{x}, In{mean}, In{rstd}, In{weight}, Out{gx}, Out{gweight}, Out{gbias});
  }
}

void channel_stats(DType type, const ChannelNorm& s, const void* x, void* mean, void* var) {
  if (type == DType::F32) {
    channel_stats_as<float>(s, In{x}, Out{mean}, Out{var});
  } else if (type == DType::F64) {
    channel_stats_as<double>(s, In{x}, Out{mean}, Out{var});
  }
}

void channel_affine(DType type, const ChannelNorm& s, const void* x, const void* scale, const void* shift, void* y) {
  if (type == DType::F32) {
    channel_affine_as<float>(s, In{x}, In{scale}, In{shift}, Out{y});
  } else if (type == DType::F64) {
    channel_affine_as<double>(s, In{x}, In{scale}, In{shift}, Out{y});
  }
}

void channel_backward(DType type, const ChannelNorm& s, bool training, const void* gy, const void* x, const void* mean,
                      const void* invstd, const void* weight, void* gx, void* gweight, void* gbias) {
  if (type == DType::F32) {
    channel_backward_as<float>(s, training, In{gy}, In{x}, In{mean}, In{invstd}, In{weight}, Out{gx}, Out{gweight},
                               Out{gbias});
  } else if (type == DType::F64) {
    channel_backward_as<double>(s, training, In{gy}, In{x}, In{mean}, In{invstd}, In{weight}, Out{gx}, Out{gweight},
                                Out{gbias});
  }
}

}  // namespace

void fill(NormKernels& k) {
  k.row_forward = row_forward;
  k.row_backward = row_backward;
  k.channel_stats = channel_stats;
  k.channel_affine = channel_affine;
  k.channel_backward = channel_backward;
}

}  // namespace FLAMBEAU_SET
}  // namespace flambeau
