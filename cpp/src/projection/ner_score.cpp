#include "xner/ner_score.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "xner/error.hpp"

namespace xner {

namespace {

constexpr std::uint32_t no_label = std::numeric_limits<std::uint32_t>::max();

// Scores must stay finite, also in float32, however many words a tagger takes for one entity.
constexpr double largest_gain = 1e30;

std::uint32_t most_probable(std::span<const float> probabilities) {
  const auto best = std::ranges::max_element(probabilities);
  return *best > 0 ? static_cast<std::uint32_t>(best - probabilities.begin()) : no_label;
}

}  // namespace

NerLabels::NerLabels(std::vector<std::string> names) : size_(names.size()) {
  for (std::uint32_t label = 0; label < names.size(); ++label) {
    const std::string_view name = names[label];
    if (std::ranges::count(names, name) > 1) throw Error("NER label '" + names[label] + "' is given twice");
    if (name == "O") continue;
    const bool begins = name.starts_with("B-");
    if (name.size() < 3 || !(begins || name.starts_with("I-"))) {
      throw Error("NER label '" + names[label] + "': expected O, B-CLASS or I-CLASS");
    }
    const std::string_view of = name.substr(2);
    if (find(of) == no_class)
      classes_.push_back({.name = std::string(of), .begin = no_label, .inside = no_label});
    Class& found = classes_[find(of)];
    (begins ? found.begin : found.inside) = label;
  }
  for (const Class& one : classes_) {
    if (one.begin == no_label || one.inside == no_label) {
      throw Error("the NER labels have no '" + std::string(one.begin == no_label ? "B-" : "I-") + one.name +
                  "'; IOB2 has a B- and an I- for every class");
    }
  }
}

std::uint32_t NerLabels::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(classes_, name, &Class::name);
  return found == classes_.end() ? no_class : static_cast<std::uint32_t>(found - classes_.begin());
}

void NerScore::set_sentence(std::span<const float> probabilities, const NerLabels& labels,
                            const NerOptions& options) {
  const std::size_t words = labels.size() == 0 ? 0 : probabilities.size() / labels.size();
  classes_ = labels.classes().size();
  threshold_ = options.threshold;
  if (alpha_ != options.alpha || powers_.empty()) powers_.assign(1, 1.0);
  alpha_ = options.alpha;
  while (powers_.size() <= words) powers_.push_back(std::min(powers_.back() * alpha_, largest_gain));

  begin_.resize(words * classes_);
  inside_.assign((words + 1) * classes_, 0.0);
  best_.resize(words);
  for (std::size_t word = 0; word < words; ++word) {
    const std::span<const float> row = probabilities.subspan(word * labels.size(), labels.size());
    for (std::size_t c = 0; c < classes_; ++c) {
      const NerLabels::Class& one = labels.classes()[c];
      begin_[word * classes_ + c] = static_cast<double>(row[one.begin]);
      inside_[(word + 1) * classes_ + c] =
          inside_[word * classes_ + c] + static_cast<double>(row[one.inside]);
    }
    best_[word] = most_probable(row);
  }

  predictions_.assign(words, {});
  std::size_t run_end = words;  // of the words with the label of the next word, from there on
  for (std::size_t word = words; word-- > 0;) {
    const std::size_t next = word + 1;
    const auto begins = std::ranges::find(labels.classes(), best_[word], &NerLabels::Class::begin);
    if (begins != labels.classes().end()) {
      const bool goes_on = next < words && best_[next] == begins->inside;
      predictions_[word] = {.index = static_cast<std::uint32_t>(begins - labels.classes().begin()),
                            .end = static_cast<std::int32_t>(goes_on ? run_end : next)};
    }
    if (next == words || best_[word] != best_[next]) run_end = next;
  }
}

double NerScore::sum(std::uint32_t index, Span span) const noexcept {
  const auto at = [&](std::int32_t word) { return static_cast<std::size_t>(word) * classes_ + index; };
  return begin_[at(span.start)] + (inside_[at(span.end)] - inside_[at(span.start + 1)]);
}

double NerScore::gain(std::uint32_t index, Span span) const noexcept {
  const Prediction& prediction = predictions_[static_cast<std::size_t>(span.start)];
  const bool predicted = prediction.index == index && span.end <= prediction.end;
  return predicted ? powers_[static_cast<std::size_t>(span.length() - 1)] : 1.0;
}

double NerScore::of_class(std::uint32_t index, Span span) const noexcept {
  return above_threshold(sum(index, span) * gain(index, span) / span.length());
}

double NerScore::of_any_class(Span span) const noexcept {
  double best = 0;
  for (std::uint32_t index = 0; index < classes_; ++index) {
    best = std::max(best, sum(index, span) * gain(index, span));
  }
  return above_threshold(best / span.length());
}

}  // namespace xner
