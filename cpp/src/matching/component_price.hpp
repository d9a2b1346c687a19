// One price for every word: a bound in closed form, and what it says of single pairs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "matching/component_items.hpp"

namespace xner {

// With a price for a word, an entity's multiplier is the most that a pair of it is worth above its words, and
//   price * words + sum over entities of their multipliers' part
// is the value of a dual solution of the linear programme, so a bound; as a function of the price it is
// convex. Where entities are linked to most words, so that only lengths tell pairs apart, its minimum is all
// but the best bound there is.
class WordPrice {
 public:
  // `needed` are indices into `pairs`, entity by entity; `words` is the number of words they cover.
  WordPrice(std::span<const Pair> pairs, std::span<const std::uint32_t> needed,
            std::span<const std::uint32_t> entity_of, std::span<const Limits> limits, double scale,
            std::int32_t words);

  [[nodiscard]] double bound() const noexcept { return bound_; }
  [[nodiscard]] std::span<const double> multipliers() const noexcept { return multipliers_; }
  // By how much a pair falls short of paying for its entity and words: never below 0.
  [[nodiscard]] double shortfall(const Pair& pair) const {
    return multipliers_[entity_of_[pair.entity]] + price_ * pair.span.length() - pair.value * scale_;
  }

 private:
  struct Offer {  // the best pair of an entity with so many words
    std::int32_t words;
    double value;
  };

  void offers(std::span<const Pair> pairs, std::span<const std::uint32_t> needed, std::size_t entities);
  double set_price(double price, std::int32_t words, std::span<const Limits> limits);

  std::span<const std::uint32_t> entity_of_;
  double scale_;
  std::vector<Offer> offers_;  // by entity, longer ones only where they are worth more
  std::vector<std::uint32_t> begin_;
  double price_ = 0;
  double bound_ = 0;
  std::vector<double> multipliers_;
};

}  // namespace xner
