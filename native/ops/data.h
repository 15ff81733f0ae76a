// Moving elements: between layouts, types, and the bytes of JavaScript. The loops that every other op builds on.
#pragma once
#include "core/scalar.h"
#include "core/tensor.h"

namespace flambeau {

// dst = src, broadcast to dst's sizes and converted to its type.
void copy_elements(Tensor& dst, const Tensor& src);
// A row-major tensor with the elements of t: t itself where it is one already and has the type.
Ref contiguous(const Tensor& t);
Ref contiguous(const Tensor& t, DType dtype);
// Always a fresh tensor.
Ref clone(const Tensor& t);
// Whether the elements fill one range of memory, in whatever order of dimensions.
bool dense(const Tensor& t);
// Strides of a dense tensor in t's order of dimensions: t's own if it is dense.
Dims preserved_strides(const Tensor& t);
// Refuses a number that elements of type t cannot hold: a complex one where they are real, or one beyond their range.
void check_fits(const Scalar& value, DType t);
// Fills all elements with a number that fits.
void fill(Tensor& t, const Scalar& value);

// Row-major bytes to and from a buffer whose size must match exactly. Writing is for fresh tensors: it counts as making
// them, not as a change in place.
void read_elements(const Tensor& t, void* out, int64_t bytes);
void write_elements(Tensor& t, const void* in, int64_t bytes);

// A reference to a tensor that a handle keeps alive.
Ref share(const Tensor& t);

// Throws PyTorch's errors for a tensor that may not be written: one whose elements overlap (an expanded one), and in a
// dry run one that has elements.
void check_writable(const Tensor& t);

}  // namespace flambeau
