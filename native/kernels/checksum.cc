// CRC-32 by tables, by carry-less multiplication on x86, or by the processor's own instruction on arm64.
#include "kernels/set.h"

#include "kernels/checksum.h"

#if defined(__x86_64__) && defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace flambeau::FLAMBEAU_SET {
namespace {

constexpr uint32_t kPolynomial = 0xedb88320;  // 0x04c11db7 with its bits reversed
constexpr int kSlices = 8;

// table[s][b]: the CRC of byte b followed by s zero bytes.
struct Tables {
  uint32_t at[kSlices][256];
};

constexpr Tables make_tables() {
  Tables t{};
  for (uint32_t b = 0; b < 256; b++) {
    uint32_t c = b;
    for (int bit = 0; bit < 8; bit++) c = c & 1 ? kPolynomial ^ (c >> 1) : c >> 1;
    t.at[0][b] = c;
  }
  for (int s = 1; s < kSlices; s++)
    for (uint32_t b = 0; b < 256; b++) t.at[s][b] = (t.at[s - 1][b] >> 8) ^ t.at[0][t.at[s - 1][b] & 255];
  return t;
}

constexpr Tables kTables = make_tables();

// Eight bytes at a time: Kounavis and Berry, "A systematic approach to building high performance software-based CRC
// generators" (2005). `c` is the inverted checksum.
uint32_t by_tables(uint32_t c, const uint8_t* p, int64_t n) {
  const auto& t = kTables.at;
  for (; n >= 8; n -= 8, p += 8) {
    uint32_t low, high;
    __builtin_memcpy(&low, p, 4);
    __builtin_memcpy(&high, p + 4, 4);
    low ^= c;
    c = t[7][low & 255] ^ t[6][(low >> 8) & 255] ^ t[5][(low >> 16) & 255] ^ t[4][low >> 24] ^ t[3][high & 255] ^
        t[2][(high >> 8) & 255] ^ t[1][(high >> 16) & 255] ^ t[0][high >> 24];
  }
  for (; n > 0; n--, p++) c = t[0][(c ^ *p) & 255] ^ (c >> 8);
  return c;
}

uint32_t crc32_by_tables(uint32_t crc, const void* data, int64_t bytes) {
  return ~by_tables(~crc, static_cast<const uint8_t*>(data), bytes);
}

#if defined(__x86_64__) && defined(__AVX2__)

// Gopal et al., "Fast CRC computation for generic polynomials using PCLMULQDQ instruction" (Intel, 2009): four lanes of
// 16 bytes are folded over 64 bytes at a time. The constants are x^n mod P, reflected, for the distances named.
struct Constant {
  uint64_t low, high;
};
constexpr Constant kFold64 = {0x0154442bd4, 0x01c6e41596};  // n = 4 * 128 + 32, 4 * 128 - 32
constexpr Constant kFold16 = {0x01751997d0, 0x00ccaa009e};  // n = 128 + 32, 128 - 32

__attribute__((target("pclmul"))) inline __m128i fold(__m128i x, __m128i by, __m128i next) {
  const __m128i low = _mm_clmulepi64_si128(x, by, 0x00);
  const __m128i high = _mm_clmulepi64_si128(x, by, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

inline __m128i load(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }

__attribute__((target("pclmul"))) uint32_t crc32_by_folding(uint32_t crc, const void* data, int64_t bytes) {
  const uint8_t* p = static_cast<const uint8_t*>(data);
  if (bytes < 128) return crc32_by_tables(crc, data, bytes);
  const __m128i by64 = _mm_set_epi64x(kFold64.high, kFold64.low);
  const __m128i by16 = _mm_set_epi64x(kFold16.high, kFold16.low);
  __m128i lane[4];
  for (int i = 0; i < 4; i++) lane[i] = load(p + 16 * i);
  lane[0] = _mm_xor_si128(lane[0], _mm_cvtsi32_si128(static_cast<int>(~crc)));
  for (p += 64, bytes -= 64; bytes >= 64; p += 64, bytes -= 64)
    for (int i = 0; i < 4; i++) lane[i] = fold(lane[i], by64, load(p + 16 * i));
  for (int i = 1; i < 4; i++) lane[0] = fold(lane[0], by16, lane[i]);
  // What is left are 16 bytes with the same checksum as all that went before.
  uint8_t rest[16];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), lane[0]);
  return ~by_tables(by_tables(0, rest, 16), p, bytes);
}

#elif defined(__ARM_FEATURE_CRC32)

uint32_t crc32_by_instruction(uint32_t crc, const void* data, int64_t bytes) {
  const uint8_t* p = static_cast<const uint8_t*>(data);
  uint32_t c = ~crc;
  for (; bytes >= 8; bytes -= 8, p += 8) {
    uint64_t word;
    __builtin_memcpy(&word, p, 8);
    c = __crc32d(c, word);
  }
  for (; bytes > 0; bytes--, p++) c = __crc32b(c, *p);
  return ~c;
}

#endif

}  // namespace

void fill(ChecksumKernels& k) {
  k.crc32 = crc32_by_tables;
#if defined(__x86_64__) && defined(__AVX2__)
  if (__builtin_cpu_supports("pclmul")) k.crc32 = crc32_by_folding;
#elif defined(__ARM_FEATURE_CRC32)
  k.crc32 = crc32_by_instruction;
#endif
}

}  // namespace flambeau::FLAMBEAU_SET
