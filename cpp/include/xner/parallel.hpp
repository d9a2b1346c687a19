// Loops over rows on several threads.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace xner {

// The number of threads to use for a request: `requested` itself, or the hardware's count for 0.
std::size_t resolve_threads(std::size_t requested);

// How many workers parallel_for has for such a request, at most.
std::size_t count_workers(std::size_t count, std::size_t chunk, std::size_t threads);

// While it lives, parallel_for and poll_interrupt call `poll` about every twentieth of a second, on the thread that
// made it alone. What `poll` throws ends them.
class Interruptible {
 public:
  explicit Interruptible(std::function<void()> poll);
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;
  Interruptible(Interruptible&&) = delete;
  Interruptible& operator=(Interruptible&&) = delete;
  ~Interruptible();

 private:
  std::function<void()> poll_;
  Interruptible* outer_;

  friend void poll_interrupt();
};

// For long loops, in bodies of parallel_for as well: polls, and ends a body, by what it throws, when its call has failed
// on another thread. Costs a look at the clock on a thread that is polled, next to nothing elsewhere.
void poll_interrupt();

// Rows to a chunk: few where there are few, so that slow ones are spread, and at most `most`.
std::size_t chunk_size(std::size_t rows, std::size_t most);

// Cuts [0, count) into consecutive chunks of at most `chunk` items and calls body(first, last, worker) for
// each of them, on `threads` threads (0: one per core). The chunks are the same for every number of threads,
// so results stored by chunk or by item never depend on it. Where there are many chunks, the other threads
// start when the first ones have shown that it is worth it. `worker` is below the number of threads and names
// the calling thread: use it to pick scratch space. The first exception (by chunk order among those thrown)
// is rethrown after all threads have joined; chunks not yet started are then left out. Where the system
// starts no more threads, those that run, at least the calling one, do the work.
void parallel_for(std::size_t count, std::size_t chunk, std::size_t threads,
                  const std::function<void(std::size_t first, std::size_t last, std::size_t worker)>& body);

// Scratch space of parallel_for's workers, made when a worker first asks for its own: memory follows the
// threads that run, not those that were asked for.
template <class T>
class PerWorker {
 public:
  explicit PerWorker(std::size_t workers) : made_(workers) {}

  // The worker's own; what make() returns, the first time.
  template <class Make>
  T& of(std::size_t worker, const Make& make) {
    std::unique_ptr<T>& own = made_[worker];
    if (!own) own = std::make_unique<T>(make());
    return *own;
  }

 private:
  std::vector<std::unique_ptr<T>> made_;
};

}  // namespace xner
