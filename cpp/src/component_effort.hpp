// A limit on work that is the same on every machine.
#pragma once

#include <algorithm>
#include <cstddef>

namespace xner {

// Counts work down, in units of about what looking at an item takes.
class Effort {
 public:
  explicit Effort(std::size_t units) : left_(units) {}

  void spend(std::size_t units) noexcept { left_ -= std::min(units, left_); }
  // Takes a part out, to be spent on its own; what is left of it can be put back.
  [[nodiscard]] Effort take(std::size_t units) noexcept {
    const Effort part(std::min(units, left_));
    left_ -= part.left_;
    return part;
  }
  void put_back(Effort part) noexcept { left_ += part.left_; }
  [[nodiscard]] std::size_t left() const noexcept { return left_; }
  [[nodiscard]] bool exhausted() const noexcept { return left_ == 0; }

 private:
  std::size_t left_;
};

}  // namespace xner
