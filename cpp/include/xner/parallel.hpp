// Loops over rows on several threads.
#pragma once

#include <cstddef>
#include <functional>

namespace xner {

// The number of threads to use for a request: `requested` itself, or the hardware's count for 0.
std::size_t resolve_threads(std::size_t requested);

// Cuts [0, count) into consecutive chunks of at most `chunk` items and calls body(first, last, worker) for
// each of them, on `threads` threads (0: one per core). The chunks are the same for every number of threads,
// so results stored by chunk or by item never depend on it. `worker` is below the number of threads and names
// the calling thread: use it to pick scratch space. The first exception (by chunk order among those thrown)
// is rethrown after all threads have joined; chunks not yet started are then left out.
void parallel_for(std::size_t count, std::size_t chunk, std::size_t threads,
                  const std::function<void(std::size_t first, std::size_t last, std::size_t worker)>& body);

}  // namespace xner
