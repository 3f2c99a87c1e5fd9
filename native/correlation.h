// W of convolutions.cc in bfloat16 on a processor's matrix units (AMX).

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

// Whether this process may use such units.
bool HasMatrixUnits();

// Calls a function for each number from 0 to `count` - 1.
struct Phase {
  int64_t count;
  std::function<void(int64_t)> call;
};

// Goes through phases, each on several threads, in turn.
using InTurn = std::function<void(const std::vector<Phase>&)>;

struct Correlation {
  const void *x, *y;  // bfloat16 [batch, height, width, channels], [batch, out_height, out_width, outputs]
  int64_t batch, height, width, channels, out_height, out_width, outputs, height_of_kernel, width_of_kernel;
  int64_t stride_height, stride_width, dilation_height, dilation_width, pad_top, pad_left;

  // The same with the entries of the kernel as channels of an x that has one place for each of y.
  Correlation Entries() const {
    return {x, y, batch, out_height, out_width, height_of_kernel * width_of_kernel * channels, out_height, out_width,
            outputs, 1, 1, 1, 1, 1, 1, 0, 0};
  }

  // Bytes of memory that Compute needs, at a multiple of 64.
  int64_t Memory() const;

  // w [height_of_kernel, width_of_kernel, channels, outputs] in float32; the same bits on any number of threads.
  void Compute(void* memory, float* w, const InTurn& in_turn) const;
};
