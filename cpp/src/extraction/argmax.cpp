#include "extraction/argmax.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <type_traits>
#include <utility>

namespace xner {

namespace {

// A place's cell times its weight.
struct Weighed {
  double cell;
  std::int32_t place;

  // The higher one is better, of equal ones the first.
  [[nodiscard]] bool is_better_than(const Weighed& other) const {
    return cell != other.cell ? cell > other.cell : place < other.place;
  }
};

// Of the linked rows in a column.
Weighed best_linked(const Matrix& cells, std::size_t column, std::span<const std::int32_t> linked,
                    double alpha) {
  Weighed best{-std::numeric_limits<double>::infinity(), 0};
  for (std::size_t i = 0; i < cells.rows(); ++i) {
    const Weighed one{alpha * cells(i, column), static_cast<std::int32_t>(i)};
    if (linked[i] != 0 && one.cell > best.cell) best = one;
  }
  return best;
}

}  // namespace

MaximaOut Maxima::out(std::size_t size) {
  const std::size_t whole = whole_blocks(size);
  if (values.size() < whole) {
    values.resize(whole);
    places.resize(whole);
  }
  return {values.data(), places.data()};
}

void ArgmaxExtractor::Side::reset(std::size_t places) {
  const std::size_t whole = whole_blocks(places);
  linked.assign(whole, 1);
  std::fill_n(linked.begin(), places, 0);
  if (size == places) return;
  size = places;
  all.resize(whole);
  free.resize(whole);
  choice.resize(whole + 1);
  choice.back() = -1;
  partner.resize(whole);
  std::iota(all.begin(), all.end(), 0);
}

void ArgmaxExtractor::Side::choose_best(const Side& other) {
  std::copy_n(best.places.begin(), size, choice.begin());
  std::fill(choice.begin() + static_cast<std::ptrdiff_t>(size), choice.end() - 1, other.no_choice());
}

// `cells` has a column for each place of the side.
void ArgmaxExtractor::Side::find_best_free(const Side& other, const Matrix& cells) {
  extraction_kernels().column_maxima(cells.cells().data(), cells.width(), other.free.data(), other.free_count,
                                     best_free.out(size));
}

// By weighed cells. `cells` has a column for each place of the side.
void ArgmaxExtractor::Side::choose_left_over(const Side& other, const Matrix& cells, double alpha) {
  const auto first_linked =
      static_cast<std::int32_t>(std::ranges::find(other.linked, 1) - other.linked.begin());
  const ChoiceIn in{.best = {best.values.data(), best.places.data()},
                    .best_free = {best_free.values.data(), best_free.places.data()},
                    .linked = linked.data(),
                    .size = all.size(),
                    .first_linked = first_linked,
                    .no_choice = other.no_choice(),
                    .linked_weight = alpha,
                    .free_weight = std::min(1.0, 2 * alpha)};
  const bool any_not_above_0 = extraction_kernels().choose(in, choice.data());
  std::fill(choice.begin() + static_cast<std::ptrdiff_t>(size), choice.end() - 1, other.no_choice());
  if (!any_not_above_0) return;
  // The weight makes a negative cell the better the lower it is: the best place of all may be a free one that
  // a linked one with a lower cell beats.
  for (const std::int32_t number : std::span(free).first(free_count)) {
    const auto place = static_cast<std::size_t>(number);
    if (best.values[place] > 0 || other.linked[static_cast<std::size_t>(best.places[place])] != 0) continue;
    const Weighed of_linked = best_linked(cells, place, other.linked, alpha);
    const Weighed of_free{in.free_weight * best_free.values[place], best_free.places[place]};
    choice[place] = of_linked.is_better_than(of_free) ? of_linked.place : of_free.place;
  }
}

void ArgmaxExtractor::Side::pair_up(const Side& other) {
  extraction_kernels().pair_up(choice.data(), other.choice.data(), all.size(), partner.data(), linked.data());
}

void ArgmaxExtractor::Side::list_free() {
  free_count = extraction_kernels().select(all.data(), linked.data(), 1, all.size(), free.data());
}

void ArgmaxExtractor::load(const SimilarityView& view, std::int64_t row, double distortion,
                           Matrix& similarity) {
  CellsIn cells{view.data, view.row_stride, view.rows, view.columns};
  similarity.resize(view.rows, view.columns);
  transposed_.resize(view.columns, view.rows);
  if (view.type != ElementType::float32 || view.column_stride != sizeof(float) || distortion != 0) {
    similarity.load(view, row);
    similarity.distort(distortion);
    cells.data = reinterpret_cast<const std::byte*>(similarity.cells().data());
    cells.stride = static_cast<std::ptrdiff_t>(similarity.width() * sizeof(float));
  }
  source_.reset(view.rows);
  target_.reset(view.columns);
  const bool finite =
      extraction_kernels().copy_crosswise(cells, similarity.cells().data(), transposed_.cells().data(),
                                          source_.best.out(view.rows), target_.best.out(view.columns));
  if (!finite) similarity.load(view, row);  // which tells the cell
}

void ArgmaxExtractor::forward(const Matrix& similarity, std::vector<ScoredLink>& links) const {
  links.resize(similarity.rows());
  for (std::size_t i = 0; i < links.size(); ++i) {
    links[i] = {{static_cast<std::int32_t>(i), source_.best.places[i]}, source_.best.values[i]};
  }
}

void ArgmaxExtractor::reverse(const Matrix& similarity, std::vector<ScoredLink>& links) const {
  links.resize(similarity.columns());
  for (std::size_t j = 0; j < links.size(); ++j) {
    links[j] = {{target_.best.places[j], static_cast<std::int32_t>(j)}, target_.best.values[j]};
  }
  std::ranges::sort(links, {}, &ScoredLink::link);
}

void ArgmaxExtractor::intersect(const Matrix& similarity, std::vector<ScoredLink>& links) {
  pair_best();
  list_links(similarity, links);
}

void ArgmaxExtractor::pair_best() {
  source_.choose_best(target_);
  target_.choose_best(source_);
  source_.pair_up(target_);
  rounds_ = 0;
  keep_partners();
}

// In each round after the first, cells weigh alpha twice, but at most 1, in a free row and a free column,
// alpha where one of the two is free, else 0. Added are those that are the best of their row and of their
// column by weighed similarity, and not of a linked row and a linked column.
void ArgmaxExtractor::itermax(const Matrix& similarity, int max_count, double alpha,
                              std::vector<ScoredLink>& links) {
  pair_best();
  const int rounds = std::min(similarity.rows(), similarity.columns()) <= 2 ? 1 : max_count;
  std::size_t left = 0;
  for (int round = 1; round < rounds; ++round) {
    target_.pair_up(source_);
    source_.list_free();
    target_.list_free();
    const std::size_t left_before = std::exchange(left, source_.free_count + target_.free_count);
    if (source_.free_count == 0 || target_.free_count == 0 || left == left_before) break;
    source_.find_best_free(target_, transposed_);
    target_.find_best_free(source_, similarity);
    source_.choose_left_over(target_, transposed_, alpha);
    target_.choose_left_over(source_, similarity, alpha);
    source_.pair_up(target_);
    keep_partners();
  }
  list_links(similarity, links);
}

// Adds the rows' partners to their columns, which stay in order.
void ArgmaxExtractor::keep_partners() {
  if (rounds_ == 0) {
    slots_ = source_.partner;
    rounds_ = 1;
    return;
  }
  const std::size_t slots = rounds_ + 1;
  next_slots_.resize(whole_blocks(source_.size * slots));
  const auto insert = [&](auto rounds) {
    for (std::size_t i = 0; i < source_.size; ++i) {
      std::int32_t column = source_.partner[i];
      for (std::size_t k = 0; k < rounds; ++k) {
        const std::int32_t kept = slots_[i * rounds + k];
        next_slots_[i * (rounds + 1) + k] = std::min(kept, column);
        column = std::max(kept, column);
      }
      next_slots_[i * (rounds + 1) + rounds] = column;
    }
  };
  if (rounds_ == 1) {  // the usual case, as vector instructions
    insert(std::integral_constant<std::size_t, 1>());
  } else {
    insert(rounds_);
  }
  std::fill(next_slots_.begin() + static_cast<std::ptrdiff_t>(source_.size * slots), next_slots_.end(),
            no_place);
  slots_.swap(next_slots_);
  rounds_ = slots;
}

void ArgmaxExtractor::list_links(const Matrix& similarity, std::vector<ScoredLink>& links) {
  const std::size_t size = slots_.size();
  if (slots_a_row_ != rounds_) slot_rows_.clear();
  slots_a_row_ = rounds_;
  for (std::size_t slot = slot_rows_.size(); slot < size; ++slot) {
    slot_rows_.push_back(static_cast<std::int32_t>(slot / rounds_));
  }
  linked_rows_.resize(size);
  linked_columns_.resize(size);
  extraction_kernels().select(slot_rows_.data(), slots_.data(), no_place, size, linked_rows_.data());
  links.resize(
      extraction_kernels().select(slots_.data(), slots_.data(), no_place, size, linked_columns_.data()));
  for (std::size_t k = 0; k < links.size(); ++k) {
    const auto i = static_cast<std::size_t>(linked_rows_[k]);
    const auto j = static_cast<std::size_t>(linked_columns_[k]);
    links[k] = {{linked_rows_[k], linked_columns_[k]}, similarity(i, j)};
  }
}

}  // namespace xner
