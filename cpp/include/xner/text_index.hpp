// Texts by number, and their numbers by text: the types of an aligner's model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace xner {

// A hash table over texts that are stored one after the other, all of it in arrays that somebody else holds, so that a
// model that is mapped into memory can be used as it is. Open addressing with steps of one; slots has a power of two of
// entries, a text's number plus one or 0 for none.
class TextIndex {
 public:
  // `offsets`: by text, one more at the end: where it begins in `bytes`.
  // Throws Error when the arrays do not fit together. What slots say is believed, but never leads out of the arrays: a
  // wrong one hides texts.
  TextIndex(std::span<const std::int64_t> offsets, std::span<const char> bytes,
            std::span<const std::uint32_t> slots);

  [[nodiscard]] std::size_t size() const noexcept { return offsets_.size() - 1; }
  // The text's number; -1: there is no such text.
  [[nodiscard]] std::int32_t find(std::string_view text) const;

  // The slots for texts that differ from each other. Throws Error for 2^31 texts or more.
  static std::vector<std::uint32_t> slots_for(std::span<const std::int64_t> offsets,
                                              std::span<const char> bytes);

 private:
  std::span<const std::int64_t> offsets_;
  std::span<const char> bytes_;
  std::span<const std::uint32_t> slots_;
};

}  // namespace xner
