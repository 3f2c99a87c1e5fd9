// W of convolutions.cc in bfloat16 on a processor's matrix units (AMX), as products over pixels and examples.
//
// An entry (i, j) of the kernel is a product of two matrices, the pixels of x that it meets and the pixels of y, summed
// over places and examples. oneDNN's W has a fifth of the rate of its C where the stride is 2, and half elsewhere. Here
// x and y are copied once, into a layout in which no entry needs a copy of its own:
//
//     X[row][column mod stride][channel][column div stride, example]   (zeros where x is padded)
//     Y[row][16 channels][column, example][channel]                    (examples in pairs, as the units take them)
//
// For one row of y, the matrices of an entry are then views of X and Y. If 32 divides the batch, 16 channels by 32
// examples of X lie together. A piece of work is a row of the kernel and 32 channels of y; it adds up the rows of y in
// their order. Where x has few channels, a second copy of it has the kernel's entries as channels.

#include "correlation.h"

#include <algorithm>
#include <cstring>
#include <vector>

#if defined(__x86_64__) && defined(__linux__) && (__GNUC__ >= 11 || __clang_major__ >= 12)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UNITS __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl")))

namespace {

using Word = uint16_t;  // a bfloat16

constexpr int64_t kSide = 16;   // rows of a tile, and rows and columns of a sum
constexpr int64_t kDepth = 32;  // products that are added up at once
constexpr int64_t kFew = 4;     // channels of x that are not worth a tile for each entry of the kernel
constexpr int64_t kPieces = 8;  // fewer pieces of work are cut in two, so that several threads have some

int64_t Up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }
int64_t Floor(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// The layout of X and Y, in numbers.
struct Shapes {
  explicit Shapes(const Correlation& c) : c(c) {
    depth = Up(c.out_width * c.batch, kDepth);
    first = Floor(-c.pad_left, c.stride_width);
    columns = Floor((c.width_of_kernel - 1) * c.dilation_width - c.pad_left, c.stride_width) + c.out_width - first;
    length = Up(columns * c.batch + kDepth, kDepth);
    if (length / kDepth % 2 == 0) length += kDepth;  // lines a power of two apart share their places in a cache
    tiled = c.batch % kDepth == 0;
    line = tiled ? kDepth : length, step = tiled ? kDepth * kSide : kDepth;
    channels = Up(c.channels, kSide), outputs = Up(c.outputs, kSide);
  }

  // Where a row of X begins, at a place within a stride.
  int64_t X(int64_t row, int64_t phase) const { return (row * c.stride_width + phase) * channels * length; }

  // Where a channel has a place and example, from the beginning of a row on.
  int64_t In(int64_t channel, int64_t k) const {
    return channel / kSide * kSide * length + channel % kSide * line + k / kDepth * step + k % kDepth;
  }

  int64_t SizeOfX() const { return X(c.height, 0); }
  int64_t SizeOfY() const { return c.out_height * depth * outputs; }
  int64_t SizeOfW() const { return c.height_of_kernel * c.width_of_kernel * c.channels * c.outputs; }

  // The row of x under a row of y, for row i of the kernel; it may be outside.
  int64_t Met(int64_t row, int64_t i) const { return row * c.stride_height + i * c.dilation_height - c.pad_top; }

  // Where a row of X has a channel under the place and example k of y, for column j of the kernel.
  int64_t Under(int64_t j, int64_t channel, int64_t k) const {
    const int64_t column = j * c.dilation_width - c.pad_left, place = Floor(column, c.stride_width);
    return X(0, column - place * c.stride_width) + In(channel, (place - first) * c.batch + k);
  }

  const Correlation& c;
  int64_t depth;     // places in a row of y times examples, a multiple of kDepth
  int64_t first;     // of X's columns: the one whose number X has as 0
  int64_t columns;   // of X, with padding, at each place within a stride
  int64_t length;    // of the numbers of a channel in a row of X at a place within a stride
  bool tiled;          // whether 16 channels by 32 examples lie together
  int64_t line, step;  // numbers from one channel to the next, from one tile to the next
  int64_t channels, outputs;
};

// The numbers of two lines in turn; a line that is not there has zeros.
UNITS inline __m512i Pairs(__mmask16 mask, const Word* even, const Word* odd) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i low = even ? _mm256_maskz_loadu_epi16(mask, even) : zero;
  const __m256i high = odd ? _mm256_maskz_loadu_epi16(mask, odd) : zero;
  return _mm512_or_si512(_mm512_cvtepu16_epi32(low), _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16));
}

// 32 lines of 16 numbers, from `from` on `step` apart, those from `count` on zeros, as 16 lines of 32 numbers.
UNITS inline void Transpose(const Word* from, int64_t step, int64_t count, int64_t channels, __m512i (&to)[16]) {
  const __mmask16 mask = channels >= kSide ? 0xFFFF : (1u << channels) - 1;
  __m512i a[16];
  for (int i = 0; i < 16; ++i) {
    a[i] = Pairs(mask, 2 * i < count ? from + 2 * i * step : nullptr,
                 2 * i + 1 < count ? from + (2 * i + 1) * step : nullptr);
  }
  __m512i b[16];
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]), b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]), a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
    a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]), a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {  // a[4 m + i] has the columns i, i + 4, i + 8, i + 12 of the lines 4 m to 4 m + 3
    for (int k = 0; k < 16; k += 8) {  // b[k]: columns i and i + 8, b[k + 1]: i + 4 and i + 12
      b[k] = _mm512_shuffle_i32x4(a[k + i], a[k + 4 + i], 0x88);
      b[k + 1] = _mm512_shuffle_i32x4(a[k + i], a[k + 4 + i], 0xDD);
    }
    to[i] = _mm512_shuffle_i32x4(b[0], b[8], 0x88), to[8 + i] = _mm512_shuffle_i32x4(b[0], b[8], 0xDD);
    to[4 + i] = _mm512_shuffle_i32x4(b[1], b[9], 0x88), to[12 + i] = _mm512_shuffle_i32x4(b[1], b[9], 0xDD);
  }
}

// One row of X.
UNITS void PackX(const Shapes& s, int64_t row, Word* to) {
  const Correlation& c = s.c;
  const int64_t example = c.height * c.width * c.channels;
  for (int64_t phase = 0; phase < c.stride_width; ++phase) {
    Word* lines = to + s.X(row, phase);
    for (int64_t channel = 0; channel < c.channels; ++channel) {
      for (int64_t k = s.columns * c.batch; k < s.length; k += s.tiled ? kDepth : s.length) {
        std::memset(lines + s.In(channel, k), 0, (s.tiled ? kDepth : s.length - k) * sizeof(Word));
      }
    }
    for (int64_t q = 0; q < s.columns; ++q) {
      const int64_t column = (s.first + q) * c.stride_width + phase;
      if (column < 0 || column >= c.width) {
        for (int64_t channel = 0; channel < c.channels; ++channel) {
          for (int64_t b = 0; b < c.batch; b += kDepth) {
            std::memset(lines + s.In(channel, q * c.batch + b), 0, std::min(kDepth, c.batch - b) * sizeof(Word));
          }
        }
        continue;
      }
      const Word* from = static_cast<const Word*>(c.x) + (row * c.width + column) * c.channels;
      for (int64_t b = 0; b < c.batch; b += kDepth) {
        const int64_t count = std::min(kDepth, c.batch - b);
        const __mmask32 mask = count == kDepth ? ~0u : (1u << count) - 1;
        for (int64_t channel = 0; channel < c.channels; channel += kSide) {
          const int64_t some = std::min(kSide, c.channels - channel);
          __m512i turned[16];
          Transpose(from + b * example + channel, example, count, some, turned);
          Word* place = lines + s.In(channel, q * c.batch + b);
          for (int64_t i = 0; i < some; ++i) {
            _mm512_mask_storeu_epi16(place + i * s.line, mask, turned[i]);
          }
        }
      }
    }
  }
}

// One row of Y.
UNITS void PackY(const Shapes& s, int64_t row, Word* to) {
  const Correlation& c = s.c;
  const int64_t example = c.out_height * c.out_width * c.outputs, places = c.out_width * c.batch;
  const Word* from = static_cast<const Word*>(c.y) + row * c.out_width * c.outputs;
  to += row * s.depth * s.outputs;
  const auto at = [&](int64_t k) { return from + k % c.batch * example + k / c.batch * c.outputs; };
  for (int64_t k = 0; k < s.depth; k += 2) {
    for (int64_t channel = 0; channel < c.outputs; channel += kSide) {
      const int64_t some = std::min(kSide, c.outputs - channel);
      const __mmask16 mask = some == kSide ? 0xFFFF : (1u << some) - 1;
      _mm512_storeu_si512(to + channel * s.depth + k * kSide,
                          Pairs(mask, k < places ? at(k) + channel : nullptr,
                                k + 1 < places ? at(k + 1) + channel : nullptr));
    }
  }
}

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

constexpr int64_t kSum = kSide * kSide;  // numbers of a sum

// Where tiles of one row begin, and four sums that their products are added to.
struct Tiles {
  const Word *x[4], *y[2];
  float* sums[4];
};

UNITS inline void LoadSums(const Tiles& tiles) {
  _tile_loadd(0, tiles.sums[0], kSide * 4);
  _tile_loadd(1, tiles.sums[1], kSide * 4);
  _tile_loadd(2, tiles.sums[2], kSide * 4);
  _tile_loadd(3, tiles.sums[3], kSide * 4);
}

UNITS inline void StoreSums(const Tiles& tiles) {
  _tile_stored(0, tiles.sums[0], kSide * 4);
  _tile_stored(1, tiles.sums[1], kSide * 4);
  _tile_stored(2, tiles.sums[2], kSide * 4);
  _tile_stored(3, tiles.sums[3], kSide * 4);
}

// Two tiles of X by two of Y.
UNITS void TwoByTwo(const Shapes& s, const Tiles& tiles) {
  LoadSums(tiles);
  for (int64_t k = 0, step = 0; k < s.depth; k += kDepth, step += s.step) {
    _tile_loadd(4, tiles.x[0] + step, s.line * 2);
    _tile_loadd(6, tiles.y[0] + k * kSide, 64);
    _tile_loadd(5, tiles.x[1] + step, s.line * 2);
    _tile_loadd(7, tiles.y[1] + k * kSide, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  StoreSums(tiles);
}

// Four tiles of X by one of Y.
UNITS void FourByOne(const Shapes& s, const Tiles& tiles) {
  LoadSums(tiles);
  for (int64_t k = 0, step = 0; k < s.depth; k += kDepth, step += s.step) {
    _tile_loadd(7, tiles.y[0] + k * kSide, 64);
    _tile_loadd(4, tiles.x[0] + step, s.line * 2);
    _tile_dpbf16ps(0, 4, 7);
    _tile_loadd(5, tiles.x[1] + step, s.line * 2);
    _tile_dpbf16ps(1, 5, 7);
    _tile_loadd(6, tiles.x[2] + step, s.line * 2);
    _tile_dpbf16ps(2, 6, 7);
    _tile_loadd(4, tiles.x[3] + step, s.line * 2);
    _tile_dpbf16ps(3, 4, 7);
  }
  StoreSums(tiles);
}

// One row of the X of `few`, whose channels are the entries of a kernel: what each entry of s's kernel meets.
void Gather(const Shapes& s, const Word* x, const Shapes& few, int64_t row, Word* to) {
  const Correlation& c = s.c;
  for (int64_t n = 0; n < few.c.channels; ++n) {
    const int64_t channel = n % c.channels, j = n / c.channels % c.width_of_kernel;
    const int64_t met = s.Met(row, n / c.channels / c.width_of_kernel);
    for (int64_t k = 0; k < few.depth; k += kDepth) {
      Word* place = to + few.X(row, 0) + few.In(n, k);
      if (met < 0 || met >= c.height) {
        std::memset(place, 0, kDepth * sizeof(Word));
      } else {
        std::memcpy(place, x + s.X(met, 0) + s.Under(j, channel, k), kDepth * sizeof(Word));
      }
    }
  }
}

// 16 channels of X under a column of the kernel.
struct Rows {
  int64_t column, channel;
};

// A piece of work: sums over the rows `begin` to `end` of y, for row i of the kernel and 32 channels of y.
UNITS void Sum(const Shapes& s, const Word* x, const Word* y, const std::vector<Rows>& rows, int64_t i, int64_t output,
               int64_t begin, int64_t end, float* w) {
  const Correlation& c = s.c;
  const int64_t wide = s.outputs - output > kSide ? 2 : 1, high = wide == 2 ? 2 : 4;
  const int64_t count = rows.size(), groups = Up(count, high) / high;
  static thread_local std::vector<float> memory;
  memory.assign((groups * 4 + 1) * kSum, 0.0f);
  float* sums = reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(memory.data()) + 63) & ~uintptr_t{63});

  const TileConfig config;
  _tile_loadconfig(&config);
  for (int64_t row = begin; row < end; ++row) {
    const int64_t met = s.Met(row, i);
    if (met < 0 || met >= c.height) continue;
    Tiles tiles;
    for (int64_t n = 0; n < wide; ++n) tiles.y[n] = y + (row * s.outputs + output + n * kSide) * s.depth;
    for (int64_t group = 0; group < groups; ++group) {
      for (int64_t n = 0; n < 4; ++n) tiles.sums[n] = sums + (group * 4 + n) * kSum;
      for (int64_t n = 0; n < high; ++n) {
        const Rows& some = rows[std::min(group * high + n, count - 1)];
        tiles.x[n] = x + s.X(met, 0) + s.Under(some.column, some.channel, 0);
      }
      (wide == 2 ? TwoByTwo : FourByOne)(s, tiles);
    }
  }
  _tile_release();

  for (int64_t r = 0; r < count; ++r) {
    const auto [column, first] = rows[r];
    for (int64_t n = 0; n < wide; ++n) {
      const float* sum = sums + (r / high * 4 + r % high * wide + n) * kSum;
      const int64_t some = std::min(kSide, c.outputs - output - n * kSide);
      for (int64_t channel = first; channel < std::min(first + kSide, c.channels); ++channel) {
        float* entry = w + ((i * c.width_of_kernel + column) * c.channels + channel) * c.outputs;
        std::memcpy(entry + output + n * kSide, sum + (channel - first) * kSide, some * sizeof(float));
      }
    }
  }
}

void Add(const float* numbers, int64_t count, float* to) {
  for (int64_t n = 0; n < count; ++n) to[n] += numbers[n];
}

// The phases that make w from X and Y. Few pieces are cut by rows of y.
std::vector<Phase> Products(const Shapes& s, const Word* x, const Word* y, float* w, float* second) {
  const Correlation& c = s.c;
  std::vector<Rows> rows;
  for (int64_t column = 0; column < c.width_of_kernel; ++column) {
    for (int64_t channel = 0; channel < c.channels; channel += kSide) rows.push_back({column, channel});
  }
  const int64_t pairs = Up(c.outputs, 2 * kSide) / (2 * kSide), pieces = c.height_of_kernel * pairs;
  const int64_t cuts = pieces < kPieces && c.out_height > 1 ? 2 : 1;
  const auto sum = [=, &s](int64_t n) {
    const int64_t cut = n / pieces, i = n % pieces / pairs, output = n % pairs * 2 * kSide, height = s.c.out_height;
    Sum(s, x, y, rows, i, output, height * cut / cuts, height * (cut + 1) / cuts, cut ? second : w);
  };
  if (cuts == 1) return {{pieces, sum}};
  return {{pieces * cuts, sum}, {1, [=, &s](int64_t) { Add(second, s.SizeOfW(), w); }}};
}

bool Allowed() {  // the system must be asked before a process uses the units
  constexpr int kRequest = 0x1023, kTiles = 18;
  constexpr unsigned kAvx512 = 1u << 16 | 1u << 30 | 1u << 31, kAmx = 1u << 22 | 1u << 24;  // F, BW, VL; BF16, TILE
  unsigned a = 0, b = 0, c = 0, d = 0;
  const bool units = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & kAvx512) == kAvx512 && (d & kAmx) == kAmx;
  return units && syscall(SYS_arch_prctl, kRequest, kTiles) == 0;
}

}  // namespace

bool HasMatrixUnits() {
  static const bool has = Allowed();
  return has;
}

int64_t Correlation::Memory() const {
  const Shapes s(*this);
  int64_t words = s.SizeOfX() + s.SizeOfY();
  if (channels <= kFew) {
    const Correlation entries = Entries();
    words += Shapes(entries).SizeOfX();
  }
  return words * sizeof(Word) + s.SizeOfW() * sizeof(float);
}

void Correlation::Compute(void* memory, float* w, const InTurn& in_turn) const {
  const Shapes s(*this);
  Word* const x_lines = static_cast<Word*>(memory);
  Word* const y_lines = x_lines + s.SizeOfX();
  Word* const rest = y_lines + s.SizeOfY();
  std::vector<Phase> phases{{height + out_height, [&](int64_t i) {
                               i < height ? PackX(s, i, x_lines) : PackY(s, i - height, y_lines);
                             }}};
  const Correlation entries = Entries();
  const Shapes few(entries);
  const bool gather = channels <= kFew;
  if (gather) phases.push_back({out_height, [&](int64_t row) { Gather(s, x_lines, few, row, rest); }});
  float* const second = reinterpret_cast<float*>(rest + (gather ? few.SizeOfX() : 0));
  for (Phase& phase : gather ? Products(few, rest, y_lines, w, second) : Products(s, x_lines, y_lines, w, second)) {
    phases.push_back(std::move(phase));
  }
  in_turn(phases);
}

#else

bool HasMatrixUnits() { return false; }
int64_t Correlation::Memory() const { return 0; }
void Correlation::Compute(void*, float*, const InTurn&) const {}

#endif
