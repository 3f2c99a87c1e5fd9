// The three maps of genjax/ops/conv_maps.py by oneDNN, as functions that XLA's CPU backend calls.
//
//     C(x, w) -> y   convolution            x [B, H, W, I], w [h, w, I, O], y [B, H', W', O]
//     T(y, w) -> x   its transpose in x     oneDNN's "backward data"
//     W(x, y) -> w   its transpose in w     oneDNN's "backward weights"
//
// Images are float32 or bfloat16; sums are float32, and W is float32 in both. Images stay as XLA has them, and kernels
// are reordered at each call, since training changes them at each step.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "correlation.h"
#include "oneapi/dnnl/dnnl.hpp"
#include "oneapi/dnnl/dnnl_threadpool.hpp"
#include "oneapi/dnnl/dnnl_threadpool_iface.hpp"
#include "threads.h"
#include "xla/ffi/api/ffi.h"

namespace {

using dnnl::memory;
using Numbers = ffi::Span<const int64_t>;

enum Map : int64_t { kC, kT, kW };

// Channels of x and y together from which on the products of correlation.cc pay for the copies that they need.
constexpr int64_t kWide = 65;

// Bytes of these copies at most, since a thread keeps them; larger maps stay with oneDNN.
constexpr int64_t kMost = int64_t{1} << 28;

const dnnl::engine& Cpu() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

// Memory that a thread keeps for its calls: the system takes large pieces back, and getting them again is slow.
void* Kept(int which, size_t bytes) {
  static thread_local std::vector<char> kept[2];
  if (kept[which].size() < bytes + 64) kept[which].resize(bytes + 64);
  return reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(kept[which].data()) + 63) & ~uintptr_t{63});
}

// A map of one geometry, prepared.
struct Plan {
  memory::desc x, y, w, inner_w, scratch;  // inner_w: the kernel as oneDNN wants it
  dnnl::primitive map;
  dnnl::reorder reorder;  // from w to inner_w, for W from inner_w to w
};

using Shape = ffi::AnyBuffer::Dimensions;

memory::data_type Type(const ffi::AnyBuffer& a) {
  if (a.element_type() == ffi::DataType::BF16) return memory::data_type::bf16;
  if (a.element_type() == ffi::DataType::F32) return memory::data_type::f32;
  throw std::invalid_argument("arrays must be float32 or bfloat16");
}

memory::desc Image(const ffi::AnyBuffer& a) {
  Shape n = a.dimensions();
  return memory::desc({n[0], n[3], n[1], n[2]}, Type(a), memory::format_tag::nhwc);
}

Plan Prepare(Map map, const ffi::AnyBuffer& x, const ffi::AnyBuffer& w, const ffi::AnyBuffer& y, Numbers stride,
             Numbers dilation, Numbers pads) {
  Plan plan;
  Shape n = w.dimensions();
  memory::dims kernel{n[3], n[2], n[0], n[1]}, strides{stride[0], stride[1]};
  memory::dims gaps{dilation[0] - 1, dilation[1] - 1}, low{pads[0], pads[2]}, high{pads[1], pads[3]};
  plan.x = Image(x);
  plan.y = Image(y);
  plan.w = memory::desc(kernel, Type(w), memory::format_tag::hwio);
  memory::desc any(kernel, Type(x), memory::format_tag::any), sum(kernel, Type(w), memory::format_tag::any);
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const auto direct = dnnl::algorithm::convolution_direct;
  dnnl::convolution_forward::primitive_desc forward(Cpu(), dnnl::prop_kind::forward_training, direct, plan.x, any,
                                                    plan.y, strides, gaps, low, high, attr);
  if (map == kC) {
    plan.inner_w = forward.weights_desc();
    plan.scratch = forward.scratchpad_desc();
    plan.map = dnnl::convolution_forward(forward);
  } else if (map == kT) {
    dnnl::convolution_backward_data::primitive_desc backward(Cpu(), direct, plan.x, any, plan.y, strides, gaps, low,
                                                             high, forward, attr);
    plan.inner_w = backward.weights_desc();
    plan.scratch = backward.scratchpad_desc();
    plan.map = dnnl::convolution_backward_data(backward);
  } else {
    dnnl::convolution_backward_weights::primitive_desc backward(Cpu(), direct, plan.x, sum, plan.y, strides, gaps, low,
                                                                high, forward, attr);
    plan.inner_w = backward.diff_weights_desc();
    plan.scratch = backward.scratchpad_desc();
    plan.map = dnnl::convolution_backward_weights(backward);
  }
  if (plan.inner_w != plan.w) {
    const auto& from = map == kW ? plan.inner_w : plan.w;
    const auto& to = map == kW ? plan.w : plan.inner_w;
    plan.reorder = dnnl::reorder(dnnl::reorder::primitive_desc(Cpu(), from, Cpu(), to));
  }
  return plan;
}

const Plan& Prepared(Map map, const ffi::AnyBuffer& x, const ffi::AnyBuffer& w, const ffi::AnyBuffer& y,
                     Numbers stride, Numbers dilation, Numbers pads, int threads) {
  static std::mutex mutex;
  static std::map<std::vector<int64_t>, std::unique_ptr<Plan>> plans;
  std::vector<int64_t> key{map, threads, static_cast<int64_t>(x.element_type()),
                           static_cast<int64_t>(w.element_type())};
  for (Shape n : {x.dimensions(), w.dimensions(), y.dimensions()}) key.insert(key.end(), n.begin(), n.end());
  for (Numbers n : {stride, dilation, pads}) key.insert(key.end(), n.begin(), n.end());
  std::lock_guard<std::mutex> lock(mutex);
  auto& plan = plans[key];
  if (!plan) plan = std::make_unique<Plan>(Prepare(map, x, w, y, stride, dilation, pads));
  return *plan;
}

// W by correlation.cc, if it pays. Returns: whether it did.
bool Correlate(const ffi::AnyBuffer& x, const ffi::AnyBuffer& y, const ffi::AnyBuffer& w, Numbers stride,
               Numbers dilation, Numbers pads, Threads& threads) {
  if (Type(x) != memory::data_type::bf16 || !HasMatrixUnits()) return false;
  Shape a = x.dimensions(), b = y.dimensions(), k = w.dimensions();
  const Correlation correlation{x.untyped_data(), y.untyped_data(), a[0], a[1], a[2], a[3], b[1], b[2], b[3], k[0],
                                k[1], stride[0], stride[1], dilation[0], dilation[1], pads[0], pads[2]};
  if (a[3] + b[3] < kWide || correlation.Memory() > kMost) return false;
  correlation.Compute(Kept(0, correlation.Memory()), static_cast<float*>(w.untyped_data()),
                      [&](const std::vector<Phase>& phases) { threads.InTurn(phases); });
  return true;
}

ffi::Error Convolution(ffi::ThreadPool pool, ffi::AnyBuffer a, ffi::AnyBuffer b, ffi::Result<ffi::AnyBuffer> result,
                       int64_t which, Numbers stride, Numbers dilation, Numbers pads) {
  try {
    const Map map = static_cast<Map>(which);
    const ffi::AnyBuffer x = map == kT ? *result : a, w = map == kW ? *result : b;
    const ffi::AnyBuffer y = map == kC ? *result : map == kT ? a : b;
    Threads threads(pool);
    if (map == kW && Correlate(x, y, w, stride, dilation, pads, threads)) return ffi::Error::Success();
    dnnl_threadpool_interop_set_max_concurrency(threads.get_num_threads());
    const Plan& plan = Prepared(map, x, w, y, stride, dilation, pads, threads.get_num_threads());
    dnnl::stream stream = dnnl::threadpool_interop::make_stream(Cpu(), &threads);
    memory x_memory(plan.x, Cpu(), x.untyped_data()), y_memory(plan.y, Cpu(), y.untyped_data());
    memory w_memory(plan.w, Cpu(), w.untyped_data());
    memory inner = plan.reorder ? memory(plan.inner_w, Cpu(), Kept(0, plan.inner_w.get_size())) : w_memory;
    memory scratch(plan.scratch, Cpu(), Kept(1, plan.scratch.get_size()));
    if (map != kW && plan.reorder) plan.reorder.execute(stream, w_memory, inner);
    plan.map.execute(stream, {{map == kT ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, x_memory},
                              {map == kW ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, inner},
                              {map == kC ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, y_memory},
                              {DNNL_ARG_SCRATCHPAD, scratch}});
    if (map == kW && plan.reorder) plan.reorder.execute(stream, inner, w_memory);
    stream.wait();
  } catch (const dnnl::error& error) {
    return ffi::Error::Internal(std::string("oneDNN: ") + error.what());
  } catch (const std::exception& error) {
    return ffi::Error::InvalidArgument(error.what());
  }
  return ffi::Error::Success();
}

}  // namespace

extern "C" __attribute__((visibility("default"))) XLA_FFI_Error* genjax_convolution(XLA_FFI_CallFrame* call);

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    genjax_convolution, Convolution,
    ffi::Ffi::Bind()
        .Ctx<ffi::ThreadPool>()
        .Arg<ffi::AnyBuffer>()
        .Arg<ffi::AnyBuffer>()
        .Ret<ffi::AnyBuffer>()
        .Attr<int64_t>("map")
        .Attr<Numbers>("stride")
        .Attr<Numbers>("dilation")
        .Attr<Numbers>("pads"));
