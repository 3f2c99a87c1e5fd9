// W of convolutions.cc in bfloat16 on a processor's matrix units (AMX), as products over pixels and examples.
//
// An entry (i, j) of the kernel is the product of two matrices, x's pixels that it meets and y's pixels, over the places
// of y and over the batch. oneDNN's gets there at a tenth of the rate of its convolutions where the stride is 2, at a
// third elsewhere. Here x and y are written out once such that no entry needs a copy of its own:
//
//     X[row][column mod stride][channel][column div stride, example]   (zeros where x is padded)
//     Y[row][16 channels][column, example][channel]                    (examples in pairs, as the units take them)
//
// Then, for one row of y, the matrices of an entry are views of X and of Y that lie as the units load them: 16 channels
// by 32 places and examples. A piece of work is a row of the kernel and 32 channels of y; it goes through the rows of y
// in blocks that stay in a core's cache. Images of few channels have a copy of X with the kernel's columns as channels.

#include "correlation.h"

#include <algorithm>
#include <cstring>
#include <vector>

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UNITS __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl")))

namespace {

using Word = uint16_t;  // a bfloat16

constexpr int64_t kSide = 16;    // rows of a tile, and columns of a sum
constexpr int64_t kDepth = 32;   // products that are added up at once
constexpr int64_t kFew = 4;       // channels of x that are not worth a tile for each entry of the kernel
constexpr int64_t kPieces = 8;    // of work, at least, that are not cut

int64_t Up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }
int64_t Floor(int64_t a, int64_t b) { return a / b - (a % b < 0); }

struct Shapes {
  explicit Shapes(const Correlation& c) : c(c) {
    depth = Up(c.out_width * c.batch, kDepth);
    first = Floor(-c.pad_left, c.stride_width);
    columns = Floor((c.width_of_kernel - 1) * c.dilation_width - c.pad_left, c.stride_width) + c.out_width - first;
    length = Up(columns * c.batch + kDepth, kDepth);
    if (length / kDepth % 2 == 0) length += kDepth;  // lines that are a power of two apart share their places in a cache
    tiled = c.batch % kDepth == 0;
    line = tiled ? kDepth : length, step = tiled ? kDepth * kSide : kDepth;
    channels = Up(c.channels, kSide), outputs = Up(c.outputs, kSide);
  }

  int64_t X(int64_t row, int64_t phase) const { return (row * c.stride_width + phase) * channels * length; }
  // Of a channel, and of a place and example that a tile may begin at.
  int64_t In(int64_t channel, int64_t k) const {
    return channel / kSide * kSide * length + channel % kSide * line + k / kDepth * step + k % kDepth;
  }
  int64_t SizeOfX() const { return X(c.height, 0); }
  int64_t SizeOfY() const { return c.out_height * depth * outputs; }
  int64_t SizeOfW() const { return c.height_of_kernel * c.width_of_kernel * c.channels * c.outputs; }

  // The row of x under a row of y, for row i of the kernel; it may be outside.
  int64_t Met(int64_t row, int64_t i) const { return row * c.stride_height + i * c.dilation_height - c.pad_top; }

  // In a row of X: a channel under the place and example k of y, for column j of the kernel.
  int64_t Under(int64_t j, int64_t channel, int64_t k) const {
    const int64_t column = j * c.dilation_width - c.pad_left, place = Floor(column, c.stride_width);
    return X(0, column - place * c.stride_width) + In(channel, (place - first) * c.batch + k);
  }

  const Correlation& c;
  int64_t depth;     // places in a row of y times examples, a multiple of kDepth
  int64_t first;     // of X's columns: the one whose number X has as 0
  int64_t columns;   // of X, with padding, at each place within a stride
  int64_t length;    // of the numbers of a channel in a row of X at a place within a stride
  bool tiled;
  int64_t line, step;  // numbers from one channel to the next, from one tile to the next
  int64_t channels, outputs;
};

// 32 lines of 16 numbers, from `from` on `step` apart, those from `count` on zeros, as 16 lines of 32 numbers.
UNITS inline void Transpose(const Word* from, int64_t step, int64_t count, int64_t channels, __m512i (&to)[16]) {
  const __mmask16 mask = channels >= kSide ? 0xFFFF : (1u << channels) - 1;
  __m512i a[16];
  for (int i = 0; i < 16; ++i) {
    __m256i low = 2 * i < count ? _mm256_maskz_loadu_epi16(mask, from + 2 * i * step) : _mm256_setzero_si256();
    __m256i high = 2 * i + 1 < count ? _mm256_maskz_loadu_epi16(mask, from + (2 * i + 1) * step) : _mm256_setzero_si256();
    a[i] = _mm512_or_si512(_mm512_cvtepu16_epi32(low), _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16));
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
    __m512i low = _mm512_shuffle_i32x4(a[i], a[4 + i], 0x88), high = _mm512_shuffle_i32x4(a[i], a[4 + i], 0xDD);
    __m512i low2 = _mm512_shuffle_i32x4(a[8 + i], a[12 + i], 0x88), high2 = _mm512_shuffle_i32x4(a[8 + i], a[12 + i], 0xDD);
    to[i] = _mm512_shuffle_i32x4(low, low2, 0x88), to[8 + i] = _mm512_shuffle_i32x4(low, low2, 0xDD);
    to[4 + i] = _mm512_shuffle_i32x4(high, high2, 0x88), to[12 + i] = _mm512_shuffle_i32x4(high, high2, 0xDD);
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
      __m256i low = k < places ? _mm256_maskz_loadu_epi16(mask, at(k) + channel) : _mm256_setzero_si256();
      __m256i high = k + 1 < places ? _mm256_maskz_loadu_epi16(mask, at(k + 1) + channel) : _mm256_setzero_si256();
      __m512i pairs = _mm512_or_si512(_mm512_cvtepu16_epi32(low), _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16));
      _mm512_storeu_si512(to + (channel * s.depth + k * kSide), pairs);
    }
  }
}

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

constexpr int64_t kSum = kSide * kSide;  // numbers of a sum

// Adds products to 2 x 2 sums: two tiles of channels of X, `line` apart by channel, and two of Y.
UNITS void TwoByTwo(const Word* const* a, const Word* const* b, int64_t line, int64_t step, int64_t depth, float* const* sums) {
  _tile_loadd(0, sums[0], kSide * 4);
  _tile_loadd(1, sums[1], kSide * 4);
  _tile_loadd(2, sums[2], kSide * 4);
  _tile_loadd(3, sums[3], kSide * 4);
  for (int64_t k = 0, t = 0; k < depth; k += kDepth, t += step) {
    _tile_loadd(4, a[0] + t, line * 2);
    _tile_loadd(6, b[0] + k * kSide, 64);
    _tile_loadd(5, a[1] + t, line * 2);
    _tile_loadd(7, b[1] + k * kSide, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, sums[0], kSide * 4);
  _tile_stored(1, sums[1], kSide * 4);
  _tile_stored(2, sums[2], kSide * 4);
  _tile_stored(3, sums[3], kSide * 4);
}

// The same for 4 tiles of X and one of Y.
UNITS void FourByOne(const Word* const* a, const Word* const* b, int64_t line, int64_t step, int64_t depth, float* const* sums) {
  _tile_loadd(0, sums[0], kSide * 4);
  _tile_loadd(1, sums[1], kSide * 4);
  _tile_loadd(2, sums[2], kSide * 4);
  _tile_loadd(3, sums[3], kSide * 4);
  for (int64_t k = 0, t = 0; k < depth; k += kDepth, t += step) {
    _tile_loadd(7, b[0] + k * kSide, 64);
    _tile_loadd(4, a[0] + t, line * 2);
    _tile_dpbf16ps(0, 4, 7);
    _tile_loadd(5, a[1] + t, line * 2);
    _tile_dpbf16ps(1, 5, 7);
    _tile_loadd(6, a[2] + t, line * 2);
    _tile_dpbf16ps(2, 6, 7);
    _tile_loadd(4, a[3] + t, line * 2);
    _tile_dpbf16ps(3, 4, 7);
  }
  _tile_stored(0, sums[0], kSide * 4);
  _tile_stored(1, sums[1], kSide * 4);
  _tile_stored(2, sums[2], kSide * 4);
  _tile_stored(3, sums[3], kSide * 4);
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

struct Tile {
  int64_t column, channel;  // of the kernel's row; the first of 16 channels
};

// A piece of work: sums over the rows `begin` to `end` of y, for row i of the kernel and 32 channels of y.
UNITS void Sum(const Shapes& s, const Word* x, const Word* y, const std::vector<Tile>& tiles, int64_t i, int64_t output,
               int64_t begin, int64_t end, float* w) {
  const Correlation& c = s.c;
  const int64_t wide = s.outputs - output > kSide ? 2 : 1, high = wide == 2 ? 2 : 4;
  const int64_t count = tiles.size(), groups = Up(count, high) / high;
  static thread_local std::vector<float> memory;
  memory.assign((groups * 4 + 1) * kSum, 0.0f);
  float* sums = reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(memory.data()) + 63) & ~uintptr_t{63});

  const TileConfig config;
  _tile_loadconfig(&config);
  for (int64_t row = begin; row < end; ++row) {
    const int64_t met = s.Met(row, i);
    if (met < 0 || met >= c.height) continue;
    const Word *a[4], *b[2];
    for (int64_t n = 0; n < wide; ++n) b[n] = y + (row * s.outputs + output + n * kSide) * s.depth;
    for (int64_t group = 0; group < groups; ++group) {
      float* out[4];
      for (int64_t n = 0; n < 4; ++n) out[n] = sums + (group * 4 + n) * kSum;
      for (int64_t n = 0; n < high; ++n) {
        const Tile& tile = tiles[std::min(group * high + n, count - 1)];
        a[n] = x + s.X(met, 0) + s.Under(tile.column, tile.channel, 0);
      }
      (wide == 2 ? TwoByTwo : FourByOne)(a, b, s.line, s.step, s.depth, out);
    }
  }
  _tile_release();

  for (int64_t t = 0; t < count; ++t) {
    for (int64_t n = 0; n < wide; ++n) {
      const float* sum = sums + (t / high * 4 + t % high * wide + n) * kSum;
      const int64_t some = std::min(kSide, c.outputs - output - n * kSide);
      for (int64_t channel = tiles[t].channel; channel < std::min(tiles[t].channel + kSide, c.channels); ++channel) {
        float* entry = w + ((i * c.width_of_kernel + tiles[t].column) * c.channels + channel) * c.outputs;
        std::memcpy(entry + output + n * kSide, sum + (channel - tiles[t].channel) * kSide, some * sizeof(float));
      }
    }
  }
}

void Add(const float* numbers, int64_t count, float* to) {
  for (int64_t n = 0; n < count; ++n) to[n] += numbers[n];
}

// The phases that make w from X and Y. Few pieces are cut in two by rows of y, so that several threads have some.
std::vector<Phase> Products(const Shapes& s, const Word* x, const Word* y, float* w, float* second) {
  const Correlation& c = s.c;
  std::vector<Tile> tiles;
  for (int64_t column = 0; column < c.width_of_kernel; ++column) {
    for (int64_t channel = 0; channel < c.channels; channel += kSide) tiles.push_back({column, channel});
  }
  const int64_t pairs = Up(c.outputs, 2 * kSide) / (2 * kSide), pieces = c.height_of_kernel * pairs;
  const int64_t cuts = pieces < kPieces && c.out_height > 1 ? 2 : 1;
  const auto sum = [=, &s](int64_t n) {
    const int64_t cut = n / pieces, i = n % pieces / pairs, output = n % pairs * 2 * kSide, rows = s.c.out_height;
    Sum(s, x, y, tiles, i, output, rows * cut / cuts, rows * (cut + 1) / cuts, cut ? second : w);
  };
  if (cuts == 1) return {{pieces, sum}};
  return {{pieces * cuts, sum}, {1, [=, &s](int64_t) { Add(second, s.SizeOfW(), w); }}};
}

bool Allowed() {  // the system must be asked before a process uses the units
  constexpr int kRequest = 0x1023, kTiles = 18;
  __builtin_cpu_init();
  return __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         syscall(SYS_arch_prctl, kRequest, kTiles) == 0;
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
