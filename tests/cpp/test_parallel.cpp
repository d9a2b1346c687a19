#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fixtures.hpp"
#include "xner/parallel.hpp"

using namespace xner;
using namespace xner::test;

TEST_SUITE("threads") {
  TEST_CASE("every item is visited once, in the same chunks for any number of threads") {
    for (const std::size_t count : {0U, 1U, 9U, 10U, 1000U}) {
      for (const std::size_t threads : {1U, 2U, 3U, 7U, 64U}) {
        std::vector<int> visits(count, 0);
        std::atomic<bool> good{true};
        parallel_for(count, 10, threads, [&](std::size_t first, std::size_t last, std::size_t worker) {
          if (first % 10 != 0 || last != std::min(count, first + 10) || worker >= threads) good = false;
          for (std::size_t i = first; i < last; ++i) ++visits[i];
        });
        CHECK(good);
        CHECK(std::ranges::all_of(visits, [](int visit) { return visit == 1; }));
      }
    }
  }

  TEST_CASE("one thread goes in order") {
    std::vector<std::size_t> order;
    parallel_for(5, 1, 1, [&](std::size_t first, std::size_t, std::size_t) { order.push_back(first); });
    CHECK(order == std::vector<std::size_t>{0, 1, 2, 3, 4});
  }

  TEST_CASE("a chunk of 0 items counts as 1") {
    std::atomic<int> calls{0};
    parallel_for(3, 0, 2, [&](std::size_t, std::size_t, std::size_t) { ++calls; });
    CHECK(calls == 3);
  }

  TEST_CASE("the first exception in chunk order arrives, after all have stopped") {
    for (const std::size_t threads : {1U, 2U, 7U}) {
      for (int round = 0; round < 20; ++round) {
        std::atomic<int> running{0};
        const std::string message = message_of<std::runtime_error>([&] {
          parallel_for(100, 1, threads, [&](std::size_t first, std::size_t, std::size_t) {
            ++running;
            const bool fails = first >= 30;
            --running;
            if (fails) throw std::runtime_error(std::to_string(first));
          });
        });
        CHECK(message == "30");
        CHECK(running == 0);
      }
    }
  }

  TEST_CASE("other exceptions than the standard's") {
    CHECK_THROWS_AS(parallel_for(8, 1, 3, [](std::size_t, std::size_t, std::size_t) { throw 7; }), int);
  }

  TEST_CASE("there are no more workers than chunks") {
    CHECK(count_workers(0, 10, 3) == 0);
    CHECK(count_workers(21, 10, 2) == 2);
    CHECK(count_workers(21, 10, 1000) == 3);
    CHECK(count_workers(3, 0, 1000) == 3);
  }

  TEST_CASE("scratch is made once, for workers that ask for it") {
    std::atomic<int> made{0};
    PerWorker<std::vector<int>> scratch(count_workers(1000, 1, 4));
    std::atomic<int> sum{0};
    parallel_for(1000, 1, 4, [&](std::size_t first, std::size_t, std::size_t worker) {
      std::vector<int>& own = scratch.of(worker, [&] {
        ++made;
        return std::vector<int>(1, 1);
      });
      sum += own[0] * static_cast<int>(first);
    });
    CHECK(sum == 999 * 1000 / 2);
    CHECK(made >= 1);
    CHECK(made <= 4);
    PerWorker<int> idle(1000);
    CHECK(idle.of(7, [] { return 5; }) == 5);
    CHECK(idle.of(7, [] { return 6; }) == 5);
  }

  TEST_CASE("many chunks that take no time start no thread, those that take long do") {
    for (const bool is_slow : {false, true}) {
      std::atomic<std::size_t> others{0};
      parallel_for(200, 1, 2, [&](std::size_t, std::size_t, std::size_t worker) {
        if (worker != 0) ++others;
        if (is_slow) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      });
      CHECK((others > 0) == is_slow);
    }
  }

  TEST_CASE("two long chunks are shared out at once") {
    std::atomic<int> running{0};
    std::atomic<bool> together{false};
    parallel_for(2, 1, 2, [&](std::size_t, std::size_t, std::size_t) {
      ++running;
      for (int wait = 0; wait < 2000 && !together; ++wait) {
        if (running == 2) together = true;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
    CHECK(together);
  }

  TEST_CASE("what polls can end a loop, on any number of threads") {
    for (const std::size_t threads : {1U, 3U}) {
      std::atomic<int> done{0};
      const Interruptible interruptible([] { throw std::runtime_error("enough"); });
      const std::string message = message_of<std::runtime_error>([&] {
        parallel_for(10000, 1, threads, [&](std::size_t, std::size_t, std::size_t) {
          ++done;
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        });
      });
      CHECK(message == "enough");
      CHECK(done < 5000);
    }
  }

  TEST_CASE("a body that polls ends when another one has failed") {
    std::atomic<bool> went_on{false};
    const std::string message = message_of<std::runtime_error>([&] {
      parallel_for(2, 1, 2, [&](std::size_t first, std::size_t, std::size_t) {
        if (first == 0) throw std::runtime_error("wrong");
        for (int wait = 0; wait < 5000; ++wait) {
          poll_interrupt();
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        went_on = true;
      });
    });
    CHECK(message == "wrong");
    CHECK_FALSE(went_on);
    CHECK_NOTHROW(poll_interrupt());
  }

  TEST_CASE("a body before the one that failed goes on, and its own failure comes first") {
    const std::string message = message_of<std::runtime_error>([&] {
      parallel_for(2, 1, 2, [&](std::size_t first, std::size_t, std::size_t) {
        if (first == 1) throw std::runtime_error("second");
        for (int wait = 0; wait < 30; ++wait) {
          poll_interrupt();
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        throw std::runtime_error("first");
      });
    });
    CHECK(message == "first");
  }

  TEST_CASE("polling is the innermost's, now and then, and nobody's else") {
    int outer = 0;
    int inner = 0;
    const auto busy = [] {
      const auto begin = std::chrono::steady_clock::now();
      while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(130)) poll_interrupt();
    };
    busy();
    {
      const Interruptible first([&] { ++outer; });
      {
        const Interruptible second([&] { ++inner; });
        busy();
      }
      CHECK(outer == 0);
      CHECK(inner >= 1);
      CHECK(inner <= 3);
      busy();
    }
    CHECK(outer >= 1);
  }

  TEST_CASE("chunks are small where rows are few") {
    CHECK(chunk_size(0, 100) == 1);
    CHECK(chunk_size(200, 100) == 6);
    CHECK(chunk_size(1000000, 100) == 100);
  }

  TEST_CASE("0 threads are one a core") {
    CHECK(resolve_threads(0) >= 1);
    CHECK(resolve_threads(5) == 5);
  }
}
