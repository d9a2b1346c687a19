// How likely target spans are entities, from the class probabilities that a tagger gives the words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xner/span.hpp"

namespace xner {

// The labels that a tagger chooses among: `O`, and `B-X` and `I-X` for every class X, in any order.
class NerLabels {
 public:
  NerLabels() = default;
  // Throws Error for a name of another form, a name given twice, and a class that lacks one of its two
  // labels.
  explicit NerLabels(std::vector<std::string> names);

  // A class and the positions of its two labels.
  struct Class {
    std::string name;
    std::uint32_t begin = 0;
    std::uint32_t inside = 0;
  };
  static constexpr std::uint32_t no_class = 0xFFFFFFFF;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<const Class> classes() const noexcept { return classes_; }
  // The position of a class in classes(), or no_class.
  [[nodiscard]] std::uint32_t find(std::string_view name) const noexcept;

 private:
  std::size_t size_ = 0;
  std::vector<Class> classes_;  // in the order of their first label
};

struct NerOptions {
  double alpha =
      1.15;  // what a span gains with every word after its first, where the tagger predicts the span
  double threshold = 0.05;  // a score of at most this counts as 0
};

// The NER scores of the spans of one sentence (Shkalikov 2024, equation 3.8); keep one a thread.
//
// For a class X, a span [a, b) scores mean(p[a, B-X], p[a + 1, I-X], ..., p[b - 1, I-X]). Where the most
// probable labels of its words (the first of equals) are exactly B-X, I-X, ..., I-X, that is multiplied by
// alpha^(b - a - 1). A word whose probabilities are all 0 predicts no label. Sums over the words before each
// word make a span cost O(1) for one class and O(classes) for all.
class NerScore {
 public:
  // `probabilities`: words * labels, word by word. O(words * labels). `labels` must outlive the calls below.
  void set_sentence(std::span<const float> probabilities, const NerLabels& labels, const NerOptions& options);

  // The score for a class, an index into labels.classes(). Precondition: the span is not empty and in the
  // sentence.
  [[nodiscard]] double of_class(std::uint32_t index, Span span) const noexcept;
  // The best score of any class.
  [[nodiscard]] double of_any_class(Span span) const noexcept;

 private:
  // What the tagger predicts from a word on: where it predicts B-X, the end of the longest run I-X behind.
  struct Prediction {
    std::uint32_t index = NerLabels::no_class;
    std::int32_t end = 0;
  };

  [[nodiscard]] double sum(std::uint32_t index, Span span) const noexcept;
  // The factor for a predicted span; 1 where the tagger predicts another class, or less.
  [[nodiscard]] double gain(std::uint32_t index, Span span) const noexcept;
  [[nodiscard]] double above_threshold(double score) const noexcept { return score > threshold_ ? score : 0; }

  std::size_t classes_ = 0;
  double threshold_ = 0;
  double alpha_ = 0;
  std::vector<double> powers_;  // alpha^0, alpha^1, ...
  std::vector<double> begin_;   // words * classes: probability of B-X
  std::vector<double> inside_;  // (words + 1) * classes: sum of the probabilities of I-X before the word
  std::vector<Prediction> predictions_;  // by word
  std::vector<std::uint32_t> best_;      // by word: the most probable label
};

}  // namespace xner
