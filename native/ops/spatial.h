// Up to three spatial dimensions: what convolutions and pools read of a call.
#pragma once
#include <string>

#include "ops/data.h"
#include "ops/promotion.h"
#include "ops/registry.h"

namespace flambeau {

// The type in which a kernel computes, float32 for half types.
inline DType float_compute(const char* name, const Tensor& t) {
  FLAMBEAU_CHECK(is_float(t.dtype), Kind::Runtime, "\"%s\" not implemented for '%s'", name, scalar_name(t.dtype));
  return dtype_of(compute_of(t.dtype));
}

// Reads one number per spatial dimension into the last places of a (depth, height, width) triple.
inline void read3(Call& call, int nd, int64_t fill, int64_t* out, const char* what) {
  const Dims d = call.dims();
  FLAMBEAU_CHECK(d.size() == nd || d.size() == 1, Kind::Runtime,
                 "expected %s to be a single integer or a list of %d integers", what, nd);
  for (int i = 0; i < 3; i++) out[i] = fill;
  for (int i = 0; i < nd; i++) out[3 - nd + i] = d.size() == 1 ? d[0] : d[i];
}

inline void spatial3(const Tensor& t, int nd, int64_t* out) {
  for (int i = 0; i < 3; i++) out[i] = 1;
  for (int i = 0; i < nd; i++) out[3 - nd + i] = t.sizes[t.ndim() - nd + i];
}

inline Dims with_spatial(std::initializer_list<int64_t> leading, const int64_t* three, int nd) {
  Dims d(leading);
  for (int i = 0; i < nd; i++) d.push_back(three[3 - nd + i]);
  return d;
}

}  // namespace flambeau
