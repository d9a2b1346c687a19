#include "xner/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

namespace xner {

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
  std::mutex mutex;
  std::exception_ptr error;
  std::size_t error_chunk = std::numeric_limits<std::size_t>::max();

  const auto work = [&](std::size_t worker) {
    for (std::size_t index = next.fetch_add(1); index < chunks; index = next.fetch_add(1)) {
      try {
        body(index * chunk, std::min(count, (index + 1) * chunk), worker);
      } catch (...) {
        next.store(chunks);
        const std::scoped_lock lock(mutex);
        if (index < error_chunk) {
          error_chunk = index;
          error = std::current_exception();
        }
      }
    }
  };

  if (workers <= 1) {
    work(0);
  } else {
    std::vector<std::jthread> pool;
    pool.reserve(workers - 1);
    const auto starts = [&](std::size_t worker) {
      try {
        pool.emplace_back(work, worker);
        return true;
      } catch (const std::system_error&) {
        return false;
      }
    };
    std::size_t worker = 1;
    while (worker < workers && starts(worker)) ++worker;
    work(0);
    pool.clear();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace xner
