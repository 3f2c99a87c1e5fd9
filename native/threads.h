// XLA's threads, for the functions that it calls.

#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "correlation.h"
#include "oneapi/dnnl/dnnl_threadpool_iface.hpp"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

// How often a thread looks whether the others have finished before it sleeps, which costs more than most pieces take.
constexpr int kAwake = 200000;

// XLA's threads as oneDNN asks for them. Pieces of work are claimed, not assigned: the calling thread, which may be
// one of XLA's, does all that no other has begun, so it never waits for a piece that no thread is free to do. Which
// thread does a piece changes nothing in its result.
class Threads : public dnnl::threadpool_interop::threadpool_iface {
 public:
  explicit Threads(ffi::ThreadPool& pool) : pool_(pool) {}
  int get_num_threads() const override { return std::max(1, static_cast<int>(pool_.num_threads())); }
  bool get_in_parallel() const override { return false; }
  uint64_t get_flags() const override { return 0; }
  void wait() override {}

  void parallel_for(int n, const std::function<void(int, int)>& piece) override {
    if (n <= 1) {
      if (n == 1) piece(0, 1);
      return;
    }
    auto work = std::make_shared<Work>(n, &piece);
    for (int helper = 1; helper < std::min(n, get_num_threads()); ++helper) {
      pool_.Schedule([work] { work->Do(); });
    }
    work->Do();
    work->Wait();
  }

  // All phases with one call of the other threads.
  void InTurn(const std::vector<Phase>& phases) {
    auto turns = std::make_shared<Turns>(phases);
    for (int helper = 1; helper < get_num_threads(); ++helper) {
      pool_.Schedule([turns] { turns->Do(); });
    }
    turns->Do();
  }

 private:
  struct Turns {
    explicit Turns(const std::vector<Phase>& phases)
        : phases(&phases), count(phases.size()), next(count), done(count), size(count) {
      for (size_t n = 0; n < count; ++n) size[n] = phases[n].count;
    }

    void Do() {  // `phases` is alive as long as a piece is unclaimed or in progress
      for (size_t n = 0; n < count; ++n) {
        for (int64_t i; (i = next[n].fetch_add(1)) < size[n];) {
          (*phases)[n].call(i);
          done[n].fetch_add(1);
        }
        for (int spin = 0; done[n].load() < size[n]; ++spin) {
          if (spin > kAwake) std::this_thread::yield();
        }
      }
    }

    const std::vector<Phase>* const phases;
    const size_t count;
    std::vector<std::atomic<int64_t>> next, done;
    std::vector<int64_t> size;
  };

  struct Work {
    Work(int n, const std::function<void(int, int)>* piece) : n(n), piece(piece) {}

    void Do() {  // `piece` is alive as long as one is unclaimed or in progress
      for (int i; (i = next.fetch_add(1)) < n;) {
        (*piece)(i, n);
        if (done.fetch_add(1) + 1 == n) {
          std::lock_guard<std::mutex> lock(mutex);
          all_done.notify_all();
        }
      }
    }

    void Wait() {
      for (int spin = 0; spin < kAwake; ++spin) {
        if (done.load() == n) return;
      }
      std::unique_lock<std::mutex> lock(mutex);
      all_done.wait(lock, [this] { return done.load() == n; });
    }

    const int n;
    const std::function<void(int, int)>* const piece;
    std::atomic<int> next{0}, done{0};
    std::mutex mutex;
    std::condition_variable all_done;
  };

  ffi::ThreadPool& pool_;
};
