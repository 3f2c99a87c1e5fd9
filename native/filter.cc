// The filter of genjax/ops/resample.py in one pass, as a function that XLA's CPU backend calls.
//
//     y[b, i, j, c] = sum over p, q of taps[p] taps[q] z[b, i down + p - top, j down + q - left, c]
//
// with z = x where up divides both places, and 0 elsewhere. Images are float32 or bfloat16, sums are float32: first
// over p, of whole rows of x, then over q, within one row that stays in the cache.

#include <algorithm>
#include <cstring>
#include <vector>

#include "threads.h"
#include "xla/ffi/api/ffi.h"

// Compiled several times, for processors with vectors of 512 and of 256 bits and for all.
#if defined(__x86_64__) && defined(__linux__) && __GNUC__ >= 12 && !defined(__clang__)
#define WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define WIDE
#endif
#define INLINE inline __attribute__((always_inline))

namespace {

using Half = uint16_t;  // a bfloat16

constexpr int64_t kEdge = 16;  // taps, and zeros before and after a row, at most

INLINE float Read(float x) { return x; }
INLINE float Read(Half x) {
  const uint32_t bits = uint32_t{x} << 16;
  float number;
  std::memcpy(&number, &bits, 4);
  return number;
}
INLINE void Write(float x, float* to) { *to = x; }
INLINE void Write(float x, Half* to) {  // to the nearest, of two equally near ones to the even one
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  const uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
  *to = x == x ? rounded : (bits >> 16 | 0x40);
}

struct Filter {
  int64_t height, width, channels, out_height, out_width, up, down, top, left;
  const float* taps;
  int64_t count;
};

// to[k] = sum over n < N of taps[n] from[n][k]
template <int N, typename Y>
INLINE void Sum(const float* const* from, const float* taps, int64_t size, Y* to) {
  const float *const a = from[0], *const b = from[1], *const c = from[2], *const d = from[3];
  for (int64_t k = 0; k < size; ++k) {
    float sum = taps[0] * a[k];
    if (N > 1) sum += taps[1] * b[k];
    if (N > 2) sum += taps[2] * c[k];
    if (N > 3) sum += taps[3] * d[k];
    Write(sum, to + k);
  }
}

template <typename Y>
INLINE void SumOf(int64_t n, const float* const* from, const float* taps, int64_t size, Y* to) {
  switch (n) {
    case 1: return Sum<1>(from, taps, size, to);
    case 2: return Sum<2>(from, taps, size, to);
    case 3: return Sum<3>(from, taps, size, to);
    case 4: return Sum<4>(from, taps, size, to);
  }
  for (int64_t k = 0; k < size; ++k) {
    float sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += taps[i] * from[i][k];
    Write(sum, to + k);
  }
}

// One row of y. `x` is an example; `row` has kEdge zeros per channel before and after the width of x.
template <typename X, typename Y>
INLINE void Row(const Filter& f, const X* x, int64_t i, float* row, float* part, Y* y) {
  const int64_t c = f.channels, line = f.width * c;
  bool first = true;
  for (int64_t p = 0; p < f.count; ++p) {
    const int64_t place = i * f.down + p - f.top;
    if (place < 0 || place % f.up || place / f.up >= f.height) continue;
    const X* from = x + place / f.up * line;
    const float tap = f.taps[p];
    if (first) {
      for (int64_t k = 0; k < line; ++k) row[k] = tap * Read(from[k]);
    } else {
      for (int64_t k = 0; k < line; ++k) row[k] += tap * Read(from[k]);
    }
    first = false;
  }
  if (first) std::fill(row, row + line, 0.0f);
  for (int64_t phase = 0; phase < f.up; ++phase) {  // every up-th place meets the same taps
    const float* from[kEdge] = {};
    float taps[kEdge] = {};
    int64_t met = 0;
    for (int64_t q = 0; q < f.count; ++q) {
      const int64_t place = phase * f.down + q - f.left;
      if (place % f.up == 0) from[met] = row + place / f.up * c, taps[met++] = f.taps[q];
    }
    const int64_t places = (f.out_width - phase + f.up - 1) / f.up;
    if (f.up == 1 && f.down == 1) {
      SumOf(met, from, taps, places * c, y);
    } else if (f.down == 1) {
      SumOf(met, from, taps, places * c, part);
      for (int64_t t = 0; t < places; ++t) {
        for (int64_t k = 0; k < c; ++k) Write(part[t * c + k], y + (t * f.up + phase) * c + k);
      }
    } else {
      for (int64_t t = 0; t < places; ++t) {
        SumOf(met, from, taps, c, y + (t * f.up + phase) * c);
        for (int64_t n = 0; n < met; ++n) from[n] += f.down * c;
      }
    }
  }
}

#define ROWS(NAME, X, Y)                                                                         \
  WIDE void NAME(const Filter& f, const void* x, int64_t i, float* row, float* part, void* y) {  \
    Row(f, static_cast<const X*>(x), i, row, part, static_cast<Y*>(y));                          \
  }
ROWS(FloatToFloat, float, float)
ROWS(FloatToHalf, float, Half)
ROWS(HalfToFloat, Half, float)
ROWS(HalfToHalf, Half, Half)

// Whether all places that a row of y asks for are in x or among the zeros around it.
bool Known(const Filter& f) {
  if (f.count < 1 || f.count > kEdge || f.up < 1 || f.down < 1) return false;
  return -f.left >= -kEdge * f.up && (f.out_width - 1) * f.down + f.count - 1 - f.left < (f.width + kEdge) * f.up;
}

ffi::Error Apply(ffi::ThreadPool pool, ffi::AnyBuffer x, ffi::Result<ffi::AnyBuffer> y, ffi::Span<const float> taps,
                 int64_t up, int64_t down, int64_t top, int64_t left) {
  const auto n = x.dimensions(), m = y->dimensions();
  const Filter f{n[1], n[2], n[3], m[1], m[2], up, down, top, left, taps.begin(), static_cast<int64_t>(taps.size())};
  if (!Known(f)) return ffi::Error::InvalidArgument("expected a filter of at most 16 taps and 16 zeros along an edge");
  for (const auto type : {x.element_type(), y->element_type()}) {
    if (type != ffi::DataType::F32 && type != ffi::DataType::BF16) {
      return ffi::Error::InvalidArgument("images must be float32 or bfloat16");
    }
  }
  const bool half_x = x.element_type() == ffi::DataType::BF16, half_y = y->element_type() == ffi::DataType::BF16;
  const auto rows = half_x ? (half_y ? HalfToHalf : HalfToFloat) : (half_y ? FloatToHalf : FloatToFloat);
  const int64_t of_x = n[1] * n[2] * n[3] * (half_x ? 2 : 4), of_row = m[2] * m[3] * (half_y ? 2 : 4);
  const int64_t edge = kEdge * n[3], total = m[0] * m[1];
  Threads threads(pool);
  const int pieces = static_cast<int>(std::min<int64_t>(total, 4 * threads.get_num_threads()));
  const auto* from = static_cast<const char*>(x.untyped_data());
  auto* to = static_cast<char*>(y->untyped_data());
  threads.parallel_for(pieces, [&](int piece, int) {
    std::vector<float> row(n[2] * n[3] + 2 * edge), part((m[2] + up - 1) / up * n[3]);
    for (int64_t k = total * piece / pieces; k < total * (piece + 1) / pieces; ++k) {
      rows(f, from + k / m[1] * of_x, k % m[1], row.data() + edge, part.data(), to + k * of_row);
    }
  });
  return ffi::Error::Success();
}

}  // namespace

extern "C" __attribute__((visibility("default"))) XLA_FFI_Error* genjax_filter(XLA_FFI_CallFrame* call);

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    genjax_filter, Apply,
    ffi::Ffi::Bind()
        .Ctx<ffi::ThreadPool>()
        .Arg<ffi::AnyBuffer>()
        .Ret<ffi::AnyBuffer>()
        .Attr<ffi::Span<const float>>("taps")
        .Attr<int64_t>("up")
        .Attr<int64_t>("down")
        .Attr<int64_t>("top")
        .Attr<int64_t>("left"));
