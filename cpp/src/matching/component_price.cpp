#include "matching/component_price.hpp"

#include <algorithm>
#include <utility>

namespace xner {

namespace {

// Halvings of the interval that holds the best price.
constexpr int halvings = 40;

}  // namespace

WordPrice::WordPrice(std::span<const Pair> pairs, std::span<const std::uint32_t> needed,
                     std::span<const std::uint32_t> entity_of, std::span<const Limits> limits, double scale,
                     std::int32_t words)
    : entity_of_(entity_of), scale_(scale), multipliers_(limits.size(), 0) {
  offers(pairs, needed, limits.size());
  double highest = 0;
  for (const Offer& offer : offers_) highest = std::max(highest, offer.value);
  // The bound is piecewise linear. In the middle of where it is lowest the fewest pairs tie.
  const auto last_below = [&](auto&& is_below) {
    double low = 0;
    double high = highest;
    for (int step = 0; step < halvings; ++step) {
      const double middle = (low + high) / 2;
      (is_below(set_price(middle, words, limits)) ? low : high) = middle;
    }
    return high;
  };
  const double first = last_below([](double slope) { return slope < 0; });
  const double last = last_below([](double slope) { return slope <= 0; });
  set_price((first + last) / 2, words, limits);
}

void WordPrice::offers(std::span<const Pair> pairs, std::span<const std::uint32_t> needed,
                       std::size_t entities) {
  std::int32_t longest = 0;
  for (const std::uint32_t pair : needed) longest = std::max(longest, pairs[pair].span.length());
  std::vector<double> best(static_cast<std::size_t>(longest) + 1, 0);
  std::vector<std::int32_t> lengths;
  begin_.assign(1, 0);
  auto pair = needed.begin();
  for (std::size_t entity = 0; entity < entities; ++entity) {
    lengths.clear();
    for (; pair != needed.end() && entity_of_[pairs[*pair].entity] == entity; ++pair) {
      double& value = best[static_cast<std::size_t>(pairs[*pair].span.length())];
      if (value == 0) lengths.push_back(pairs[*pair].span.length());
      value = std::max(value, pairs[*pair].value * scale_);
    }
    std::ranges::sort(lengths);
    double shorter = 0;
    for (const std::int32_t words : lengths) {
      const double value = std::exchange(best[static_cast<std::size_t>(words)], 0);
      if (value <= shorter) continue;
      offers_.push_back({words, value});
      shorter = value;
    }
    begin_.push_back(static_cast<std::uint32_t>(offers_.size()));
  }
}

// The multipliers for a price; returns the slope of the bound there.
double WordPrice::set_price(double price, std::int32_t words, std::span<const Limits> limits) {
  price_ = price;
  bound_ = price * words;
  double slope = words;
  for (std::size_t entity = 0; entity < limits.size(); ++entity) {
    const auto [least, most] = limits[entity];
    double multiplier = -std::numeric_limits<double>::infinity();
    std::int32_t length = 0;
    for (std::uint32_t i = begin_[entity]; i < begin_[entity + 1]; ++i) {
      const double value = offers_[i].value - price * offers_[i].words;
      if (value <= multiplier) continue;
      multiplier = value;
      length = offers_[i].words;
    }
    const std::uint32_t uses = multiplier > 0 ? most : least;
    if (uses > 0) slope -= static_cast<double>(length) * uses;
    multipliers_[entity] = least == 0 ? std::max(0.0, multiplier) : multiplier;
    if (uses > 0) bound_ += multipliers_[entity] * uses;
  }
  return slope;
}

}  // namespace xner
