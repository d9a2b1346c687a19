#include "matching/component_table.hpp"

#include <algorithm>

namespace xner {

namespace {

constexpr std::size_t most_uses = 256;
constexpr std::size_t most_cells = std::size_t{1} << 16U;
constexpr std::size_t most_table_steps = std::size_t{1} << 20U;

}  // namespace

bool UsesTable::fits(std::size_t items, std::size_t words, std::span<const Limits> limits) {
  digits_.clear();
  uses_ = 1;
  for (const Limits limit : limits) {
    digits_.push_back({.stride = uses_,
                       .radix = std::size_t{limit.counted()} + 1,
                       .saturates = limit.most == Limits::unlimited});
    uses_ *= digits_.back().radix;
    if (uses_ > most_uses) return false;
  }
  // Without a limit that counts, this is interval scheduling: linear, and nothing else is faster.
  return uses_ == 1 || (std::min(items, words) * uses_ <= most_cells && items * uses_ <= most_table_steps);
}

// Lets the item be taken at its position wherever that is better.
void UsesTable::take(const Item& item, std::int32_t index, std::size_t position) {
  double* here = &best_[position * uses_];
  std::int32_t* choice = &choice_[position * uses_];
  const double* after = &best_[item.next * uses_];
  const auto relax = [&](std::size_t from, std::size_t to, std::size_t step) {
    for (std::size_t uses = from; uses < to; ++uses) {
      const double value = item.value + after[uses + step];
      if (value > here[uses]) {
        here[uses] = value;
        choice[uses] = index;
      }
    }
  };
  const auto [stride, radix, saturates] = digits_[item.entity];
  for (std::size_t block = 0; block < uses_; block += stride * radix) {
    const std::size_t last = block + stride * (radix - 1);
    relax(block, last, stride);
    if (saturates) relax(last, last + stride, 0);
  }
}

Incumbent UsesTable::solve(const Items& items, std::span<const Limits> limits) {
  const std::size_t positions = items.positions();
  best_.assign((positions + 1) * uses_, 0);
  choice_.assign(positions * uses_, -1);
  double* end = &best_[positions * uses_];
  for (std::size_t entity = 0; entity < limits.size(); ++entity) {
    const auto [stride, radix, saturates] = digits_[entity];
    for (std::size_t uses = 0; limits[entity].least > 0 && uses < uses_; ++uses) {
      if (uses / stride % radix < limits[entity].least) end[uses] = nothing;
    }
  }
  for (std::size_t position = positions; position-- > 0;) {
    std::copy_n(&best_[(position + 1) * uses_], uses_, &best_[position * uses_]);
    for (std::uint32_t i = items.begin[position]; i < items.begin[position + 1]; ++i) {
      take(items.list[i], static_cast<std::int32_t>(i), position);
    }
  }
  Incumbent optimum{.pairs = {}, .value = best_[0]};
  std::size_t uses = 0;
  for (std::size_t position = 0; position < positions;) {
    const std::int32_t i = choice_[position * uses_ + uses];
    if (i < 0) {
      ++position;
      continue;
    }
    const Item& item = items.list[static_cast<std::size_t>(i)];
    optimum.pairs.push_back(item.pair);
    const auto [stride, radix, saturates] = digits_[item.entity];
    if (uses / stride % radix + 1 < radix) uses += stride;
    position = item.next;
  }
  return optimum;
}

}  // namespace xner
