// A limit on work or on time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>

namespace xner {

// Counts work down, in units of about what looking at an item takes. Without a deadline it ends after the
// same work on every machine.
class Effort {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Effort(std::size_t units) : left_(units) {}
  // As much as there is time for.
  explicit Effort(Clock::time_point deadline) : left_(without_limit), deadline_(deadline) { look_at_clock(); }

  void spend(std::size_t units) noexcept {
    left_ -= std::min(units, left_);
    if (deadline_ == Clock::time_point::max()) return;
    since_look_ += units;
    if (since_look_ >= units_between_looks) look_at_clock();
  }
  [[nodiscard]] bool exhausted() const noexcept { return left_ == 0; }
  [[nodiscard]] std::size_t left() const noexcept { return left_; }

  // Takes one of so many equal parts out, to be spent on its own; what is left of it can be put back.
  [[nodiscard]] Effort take_part(std::size_t parts) noexcept {
    Effort part = *this;
    if (deadline_ == Clock::time_point::max()) {
      part.left_ = left_ / parts;
      left_ -= part.left_;
    } else {
      const Clock::time_point now = Clock::now();
      part.deadline_ = now + (deadline_ - now) / static_cast<Clock::rep>(parts);
    }
    return part;
  }
  void put_back(const Effort& part) noexcept {
    if (deadline_ == Clock::time_point::max()) {
      left_ += part.left_;
    } else {
      look_at_clock();
    }
  }

  // The point at which one of so many equal parts will be spent.
  struct Mark {
    std::size_t left;
    Clock::time_point time;
  };
  [[nodiscard]] Mark mark_part(std::size_t parts) const noexcept {
    if (deadline_ == Clock::time_point::max()) return {.left = left_ - left_ / parts, .time = deadline_};
    const Clock::time_point now = Clock::now();
    return {.left = 0, .time = now + (deadline_ - now) / static_cast<Clock::rep>(parts)};
  }
  [[nodiscard]] bool past(const Mark& mark) const noexcept {
    return left_ <= mark.left || (mark.time != Clock::time_point::max() && Clock::now() >= mark.time);
  }

 private:
  static constexpr std::size_t without_limit = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t units_between_looks = 100'000;

  void look_at_clock() noexcept {
    since_look_ = 0;
    if (Clock::now() >= deadline_) left_ = 0;
  }

  std::size_t left_;
  Clock::time_point deadline_ = Clock::time_point::max();
  std::size_t since_look_ = 0;
};

}  // namespace xner
