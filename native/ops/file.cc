#include "ops/file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "core/mapped_file.h"
#include "kernels/kernels.h"
#include "ops/registry.h"

namespace flambeau {
namespace {

// The checksum and the system's copy read a piece one after the other; the second finds it in the cache.
constexpr int64_t kPiece = int64_t{1} << 20;

// The bytes [offset, offset + bytes) of a tensor's storage.
char* range_of(const Tensor& t, int64_t offset, int64_t bytes) {
  FLAMBEAU_CHECK(offset >= 0 && bytes >= 0 && offset <= t.storage->bytes - bytes, Kind::Range,
                 "bytes [%lld, %lld) are outside a storage of %lld bytes", static_cast<long long>(offset),
                 static_cast<long long>(offset + bytes), static_cast<long long>(t.storage->bytes));
  return static_cast<char*>(t.storage->data) + offset;
}

}  // namespace

FileOutcome write_range(int fd, const char* data, int64_t bytes, uint32_t crc) {
  const uint64_t lost = lost_pages();
  for (int64_t at = 0; at < bytes;) {
    const int64_t piece = std::min(kPiece, bytes - at);
    crc = kernels().checksum.crc32(crc, data + at, piece);
    for (const int64_t end = at + piece; at < end;) {
      const ssize_t n = ::write(fd, data + at, static_cast<size_t>(end - at));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return -errno;
      at += n;
    }
  }
  return lost == lost_pages() ? crc : -EFAULT;
}

FileOutcome read_range(int fd, int64_t position, char* data, int64_t bytes) {
  uint32_t crc = 0;
  for (int64_t at = 0; at < bytes;) {
    const ssize_t n = ::pread(fd, data + at, static_cast<size_t>(std::min(kPiece, bytes - at)), position + at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    if (n == 0) return std::numeric_limits<double>::quiet_NaN();
    crc = kernels().checksum.crc32(crc, data + at, n);
    at += n;
  }
  return crc;
}

// map_file(fd): uint8 [size of the file].
FLAMBEAU_OP(map_file) {
  const int64_t fd = call.integer();
  call.result(tensor_on(map_file(static_cast<int>(fd))));
}

// storage_part(tensor, offset, bytes): uint8 [bytes] on a part of the storage, as a storage of its own.
FLAMBEAU_OP(storage_part) {
  const Tensor& t = call.tensor();
  const int64_t offset = call.integer();
  const int64_t bytes = call.integer();
  call.result(tensor_on(part_of_storage(t.storage, offset, bytes)));
}

// write_file(fd, tensor, offset, bytes, crc) and read_file(fd, position, tensor, offset, bytes), on the tensor's
// storage.
FLAMBEAU_OP(write_file) {
  const int64_t fd = call.integer();
  const Tensor& t = call.tensor();
  const int64_t offset = call.integer();
  const int64_t bytes = call.integer();
  const uint32_t crc = static_cast<uint32_t>(call.integer());
  call.number(write_range(static_cast<int>(fd), range_of(t, offset, bytes), bytes, crc));
}

FLAMBEAU_OP(read_file) {
  const int64_t fd = call.integer();
  const int64_t position = call.integer();
  Tensor& t = call.tensor();
  const int64_t offset = call.integer();
  const int64_t bytes = call.integer();
  call.number(read_range(static_cast<int>(fd), position, range_of(t, offset, bytes), bytes));
  t.bump();
}

}  // namespace flambeau
