#include "xner/character_score.hpp"

#include <algorithm>

#include "code_points.hpp"

namespace xner {

void CharacterScore::set_sentence(std::span<const std::string_view> words, double threshold) {
  threshold_ = threshold;
  text_.clear();
  word_begin_.assign(1, 0);
  for (const std::string_view word : words) {
    append_code_points(word, text_);
    word_begin_.push_back(text_.size());
  }
}

void CharacterScore::set_entity(std::span<const std::string_view> words) {
  entity_.clear();
  for (const std::string_view word : words) append_code_points(word, entity_);
  edit_.set_pattern(entity_);
  read_ = {};
}

double CharacterScore::of(Span span) {
  const std::size_t begin = word_begin_[static_cast<std::size_t>(span.start)];
  const std::size_t end = word_begin_[static_cast<std::size_t>(span.end)];
  const std::size_t longer = std::max(entity_.size(), end - begin);
  const std::size_t shorter = std::min(entity_.size(), end - begin);
  // The distance is at least the difference of the lengths.
  if (static_cast<double>(shorter) <= threshold_ * static_cast<double>(longer)) return 0;
  if (read_.start != span.start || read_.end > span.end) {
    edit_.restart();
    read_ = {span.start, span.start};
  }
  for (std::size_t at = word_begin_[static_cast<std::size_t>(read_.end)]; at < end; ++at)
    edit_.push(text_[at]);
  read_.end = span.end;
  const double similarity = 1 - static_cast<double>(edit_.distance()) / static_cast<double>(longer);
  return similarity > threshold_ ? similarity : 0;
}

}  // namespace xner
