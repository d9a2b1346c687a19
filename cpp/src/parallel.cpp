#include "xner/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace xner {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto time_between_polls = std::chrono::milliseconds(50);
constexpr auto worth_a_thread =
    std::chrono::milliseconds(1);  // many times what it takes to start one, with busy cores too

constexpr std::size_t no_chunk = std::numeric_limits<std::size_t>::max();

// Why a parallel_for does not go on. Chunks before the first one that failed do, as one of them may fail as well.
struct Stop {
  std::atomic<std::size_t> failed{no_chunk};  // the first chunk that did, of those known
  std::atomic<bool> interrupted{false};       // by what polls: all chunks end
};

// What a thread works on.
struct Job {
  Stop* stop = nullptr;  // of the innermost parallel_for
  std::size_t chunk = 0;
};

struct Polling {
  Interruptible* innermost = nullptr;
  Clock::rep next = 0;  // when, in the clock's ticks
  Job job;
};
thread_local Polling polling;

// What ends a chunk whose results nobody wants any more.
struct Stopped : std::exception {};

// The thread's job for as long as it lives.
class Working {
 public:
  explicit Working(Job job) : outer_(std::exchange(polling.job, job)) {}
  Working(const Working&) = delete;
  Working& operator=(const Working&) = delete;
  Working(Working&&) = delete;
  Working& operator=(Working&&) = delete;
  ~Working() { polling.job = outer_; }

 private:
  Job outer_;
};

// Threads that are waited for.
class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  Pool(Pool&&) = delete;
  Pool& operator=(Pool&&) = delete;
  ~Pool() {
    for (std::thread& thread : threads_) thread.join();
  }

  // Starts work(worker) for worker = 1 .. workers - 1, or as many as the system starts.
  template <class Work>
  void start(std::size_t workers, const Work& work) {
    threads_.reserve(workers - 1);
    try {
      for (std::size_t worker = 1; worker < workers; ++worker) {
        threads_.emplace_back([&work, worker] { work(worker); });
      }
    } catch (const std::system_error&) {
      return;  // those that run do it
    }
  }

 private:
  std::vector<std::thread> threads_;
};

}  // namespace

Interruptible::Interruptible(std::function<void()> poll) : poll_(std::move(poll)), outer_(polling.innermost) {
  polling.innermost = this;
  polling.next = (Clock::now() + time_between_polls).time_since_epoch().count();
}

Interruptible::~Interruptible() { polling.innermost = outer_; }

void poll_interrupt() {
  const auto [stop, chunk] = polling.job;
  if (stop != nullptr && (stop->interrupted.load(std::memory_order_relaxed) ||
                          stop->failed.load(std::memory_order_relaxed) < chunk)) {
    throw Stopped{};
  }
  if (polling.innermost == nullptr) return;
  const auto now = Clock::now();
  if (now.time_since_epoch().count() < polling.next) return;
  polling.next = (now + time_between_polls).time_since_epoch().count();
  try {
    polling.innermost->poll_();
  } catch (...) {
    if (stop != nullptr) stop->interrupted.store(true, std::memory_order_relaxed);
    throw;
  }
}

std::size_t chunk_size(std::size_t rows, std::size_t most) {
  constexpr std::size_t chunks = 32;
  return std::clamp<std::size_t>(rows / chunks, 1, most);
}

std::size_t resolve_threads(std::size_t requested) {
  if (requested != 0) return requested;
  return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

std::size_t count_workers(std::size_t count, std::size_t chunk, std::size_t threads) {
  chunk = std::max<std::size_t>(1, chunk);
  return std::min(resolve_threads(threads), (count + chunk - 1) / chunk);
}

void parallel_for(std::size_t count, std::size_t chunk, std::size_t threads,
                  const std::function<void(std::size_t, std::size_t, std::size_t)>& body) {
  chunk = std::max<std::size_t>(1, chunk);
  const std::size_t chunks = (count + chunk - 1) / chunk;
  const std::size_t workers = count_workers(count, chunk, threads);
  std::atomic<std::size_t> next{0};
  Stop stop;
  std::mutex mutex;
  std::exception_ptr error;
  // What an interrupt throws comes before all else: it is told once.
  const auto fail = [&](std::size_t index, bool is_interrupt) {
    next.store(chunks);
    const std::scoped_lock lock(mutex);
    if (!is_interrupt && index >= stop.failed.load()) return;
    stop.failed.store(is_interrupt ? 0 : index);
    error = std::current_exception();
  };

  // Does chunks until there are none, or until enough() says so after one.
  const auto work = [&](std::size_t worker, const auto& enough) {
    for (std::size_t index = next.fetch_add(1); index < chunks; index = next.fetch_add(1)) {
      const Working working({.stop = &stop, .chunk = index});
      try {
        body(index * chunk, std::min(count, (index + 1) * chunk), worker);
        if (worker == 0) poll_interrupt();
      } catch (const Stopped&) {
        return;
      } catch (...) {
        fail(index, worker == 0 && stop.interrupted.load());
      }
      if (enough()) return;
    }
  };
  const auto never = [] { return false; };
  const auto work_to_the_end = [&](std::size_t worker) { work(worker, never); };

  if (workers > 1) {
    // A few chunks may each take long: those are shared out at once.
    if (chunks >= 4 * workers) {
      const auto begin = Clock::now();
      work(0, [begin] { return Clock::now() - begin >= worth_a_thread; });
    }
    Pool pool;
    if (next.load() < chunks) pool.start(workers, work_to_the_end);
    work_to_the_end(0);
  } else {
    work_to_the_end(0);
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace xner
