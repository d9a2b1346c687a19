#include "xner/text_index.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <string>
#include <utility>

#include "xner/error.hpp"

namespace xner {

namespace {

// FNV-1a (Fowler, Noll, Vo), its high bits folded into the low ones, which choose the slot. Part of the file format.
std::size_t hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char byte : text)
    hash = (hash ^ std::uint64_t{static_cast<std::uint8_t>(byte)}) * 1099511628211ULL;
  return static_cast<std::size_t>(hash ^ (hash >> 32U));
}

std::string_view text_at(std::span<const std::int64_t> offsets, std::span<const char> bytes,
                         std::size_t number) {
  const auto begin = static_cast<std::size_t>(offsets[number]);
  return {bytes.data() + begin, static_cast<std::size_t>(offsets[number + 1]) - begin};
}

void check_texts(std::span<const std::int64_t> offsets, std::span<const char> bytes) {
  const bool sound = !offsets.empty() && offsets.front() == 0 &&
                     std::cmp_equal(offsets.back(), bytes.size()) && std::ranges::is_sorted(offsets);
  if (!sound) throw Error("texts: offsets must ascend from 0 to the number of bytes");
  if (offsets.size() > std::size_t{std::numeric_limits<std::int32_t>::max()}) {
    throw Error(std::to_string(offsets.size() - 1) + " texts are too many");
  }
}

}  // namespace

TextIndex::TextIndex(std::span<const std::int64_t> offsets, std::span<const char> bytes,
                     std::span<const std::uint32_t> slots)
    : offsets_(offsets), bytes_(bytes), slots_(slots) {
  check_texts(offsets, bytes);
  if (!std::has_single_bit(slots.size())) throw Error("texts: the number of slots is no power of two");
}

std::int32_t TextIndex::find(std::string_view text) const {
  const std::size_t last = slots_.size() - 1;
  std::size_t at = hash_of(text) & last;
  for (std::size_t seen = 0; seen < slots_.size() && slots_[at] != 0; ++seen, at = (at + 1) & last) {
    const std::size_t number = std::size_t{slots_[at]} - 1;
    if (number < size() && text_at(offsets_, bytes_, number) == text)
      return static_cast<std::int32_t>(number);
  }
  return -1;
}

std::vector<std::uint32_t> TextIndex::slots_for(std::span<const std::int64_t> offsets,
                                                std::span<const char> bytes) {
  check_texts(offsets, bytes);
  const std::size_t texts = offsets.size() - 1;
  std::vector<std::uint32_t> slots(std::bit_ceil(2 * texts + 1), 0);
  const std::size_t last = slots.size() - 1;
  for (std::size_t number = 0; number < texts; ++number) {
    std::size_t at = hash_of(text_at(offsets, bytes, number)) & last;
    while (slots[at] != 0) at = (at + 1) & last;
    slots[at] = static_cast<std::uint32_t>(number + 1);
  }
  return slots;
}

}  // namespace xner
