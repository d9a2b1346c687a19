#include <pybind11/functional.h>
#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "numpy_bindings.hpp"
#include "unlocked.hpp"
#include "xner/aligner.hpp"
#include "xner/error.hpp"
#include "xner/text_index.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

using ArraysByName = py::typing::Dict<py::str, py::array>;
// offsets, source, target, score
using LinkColumns = py::typing::Tuple<py::array, py::array, py::array, py::array>;

// A ragged view, once its offsets are known to be sound.
template <class T>
RaggedView<T> as_ragged(const Array<std::int64_t>& offsets, const Array<T>& values, const char* what) {
  const auto o = as_span(offsets);
  bool sound = !o.empty() && o.front() >= 0 && o.back() <= static_cast<std::int64_t>(values.size());
  for (std::size_t row = 1; sound && row < o.size(); ++row) sound = o[row - 1] <= o[row];
  if (!sound) throw Error(std::string(what) + ": offsets must not decrease and must stay within the values");
  return {o, as_span(values)};
}

// numpy arrays of one corpus; keeps them alive while the core reads them.
class Corpus {
 public:
  Corpus(Array<std::int64_t> source_offsets, Array<std::int32_t> source,
         const Array<std::uint8_t>& source_kinds, Array<std::int64_t> target_offsets,
         Array<std::int32_t> target, const Array<std::uint8_t>& target_kinds)
      : source_offsets_(std::move(source_offsets)),
        source_(std::move(source)),
        target_offsets_(std::move(target_offsets)),
        target_(std::move(target)),
        source_kinds_(as_kinds(source_kinds)),
        target_kinds_(as_kinds(target_kinds)) {
    view_.source_kinds = source_kinds_;
    view_.target_kinds = target_kinds_;
    view_.source = as_ragged(source_offsets_, source_, "source");
    view_.target = as_ragged(target_offsets_, target_, "target");
  }

  void add_level(Array<std::int32_t> source_types, Array<std::int64_t> source_text_offsets,
                 Array<std::uint32_t> source_text, Array<std::int32_t> target_types,
                 Array<std::int64_t> target_text_offsets, Array<std::uint32_t> target_text) {
    view_.levels.push_back({as_span(source_types),
                            as_span(target_types),
                            as_ragged(source_text_offsets, source_text, "source text"),
                            as_ragged(target_text_offsets, target_text, "target text"),
                            {},
                            {}});
    kept_.append(py::make_tuple(std::move(source_types), std::move(source_text_offsets),
                                std::move(source_text), std::move(target_types),
                                std::move(target_text_offsets), std::move(target_text)));
  }

  void set_lexicon(std::size_t level, Array<std::int64_t> offsets, Array<std::int32_t> targets,
                   Array<float> weights) {
    if (level >= view_.levels.size()) throw Error("there is no level " + std::to_string(level));
    view_.levels[level].lexicon = as_ragged(offsets, targets, "lexicon");
    view_.levels[level].lexicon_weights = as_span(weights);
    kept_.append(py::make_tuple(std::move(offsets), std::move(targets), std::move(weights)));
  }

  // A copy of what leads to the arrays, so that a level that is added while the core reads is none of its business.
  [[nodiscard]] AlignerCorpus view() const { return view_; }

 private:
  static std::vector<WordKind> as_kinds(const Array<std::uint8_t>& kinds) {
    std::vector<WordKind> result;
    for (const std::uint8_t kind : as_span(kinds)) result.push_back(static_cast<WordKind>(kind));
    return result;
  }

  Array<std::int64_t> source_offsets_;
  Array<std::int32_t> source_;
  Array<std::int64_t> target_offsets_;
  Array<std::int32_t> target_;
  std::vector<WordKind> source_kinds_;
  std::vector<WordKind> target_kinds_;
  AlignerCorpus view_;
  py::list kept_;
};

// Names every array of a model.
template <class Model, class Visit>
void visit_arrays(Model& model, const Visit& visit) {
  for (std::size_t l = 0; l < model.levels.size(); ++l) {
    auto& table = model.levels[l];
    const std::string prefix = "levels." + std::to_string(l) + ".";
    visit(prefix + "offsets", table.offsets);
    visit(prefix + "targets", table.targets);
    visit(prefix + "counts", table.counts);
    visit(prefix + "source_frequency", table.source_frequency);
    visit(prefix + "target_frequency", table.target_frequency);
    visit(prefix + "source_totals", table.source_totals);
    visit(prefix + "target_totals", table.target_totals);
  }
  visit("source_null", model.source_null);
  visit("target_null", model.target_null);
  visit("source_jumps", model.source_jumps);
  visit("target_jumps", model.target_jumps);
}

// A model that was fitted, or one whose arrays numpy holds, those of a mapped file, say.
class Model {
 public:
  explicit Model(AlignerModel fitted)
      : fitted_(std::make_unique<const AlignerModel>(std::move(fitted))), view_(*fitted_) {}
  Model(const AlignerOptions& options, std::size_t levels, std::int64_t sentence_pairs,
        const ArraysByName& arrays, bool is_input) {
    view_.options = options;
    view_.sentence_pairs = sentence_pairs;
    view_.is_input = is_input;
    view_.levels.resize(levels);
    visit_arrays(view_, [&](const std::string& name, auto& values) {
      using Value = std::remove_const_t<typename std::decay_t<decltype(values)>::element_type>;
      if (!arrays.contains(name)) throw Error("array '" + name + "' is missing");
      const py::object array = arrays[py::str(name)];
      if (!py::isinstance<Array<Value>>(array))
        throw Error("array '" + name + "' has the wrong type or layout");
      kept_.append(array);
      values = as_span(py::cast<Array<Value>>(array));
    });
    check_aligner(view_);
  }

  [[nodiscard]] const AlignerModelView& view() const { return view_; }
  [[nodiscard]] std::int64_t sentence_pairs() const { return view_.sentence_pairs; }
  [[nodiscard]] ArraysByName arrays() const {
    ArraysByName copies;
    visit_arrays(view_, [&](const std::string& name, const auto& values) {
      using Value = std::remove_const_t<typename std::decay_t<decltype(values)>::element_type>;
      copies[py::str(name)] = to_numpy(std::vector<Value>(values.begin(), values.end()));
    });
    return copies;
  }

 private:
  std::unique_ptr<const AlignerModel> fitted_;
  py::list kept_;  // what the view refers to
  AlignerModelView view_;
};

// Texts and their numbers, in arrays that numpy holds.
class Texts {
 public:
  Texts(Array<std::int64_t> offsets, Array<std::uint8_t> bytes, Array<std::uint32_t> slots)
      : offsets_(std::move(offsets)),
        bytes_(std::move(bytes)),
        slots_(std::move(slots)),
        index_(as_span(offsets_), characters(bytes_), as_span(slots_)) {}

  static Texts of(const std::vector<std::string_view>& texts) {
    std::vector<std::int64_t> offsets{0};
    std::vector<std::uint8_t> bytes;
    for (const std::string_view text : texts) {
      bytes.insert(bytes.end(), text.begin(), text.end());
      offsets.push_back(static_cast<std::int64_t>(bytes.size()));
    }
    Array<std::int64_t> kept = to_numpy(std::move(offsets));
    Array<std::uint8_t> all = to_numpy(std::move(bytes));
    Array<std::uint32_t> slots = to_numpy(TextIndex::slots_for(as_span(kept), characters(all)));
    return {std::move(kept), std::move(all), std::move(slots)};
  }

  [[nodiscard]] std::size_t size() const { return index_.size(); }
  [[nodiscard]] Array<std::int32_t> find(const std::vector<std::string_view>& texts) const {
    std::vector<std::int32_t> numbers;
    numbers.reserve(texts.size());
    for (const std::string_view text : texts) numbers.push_back(index_.find(text));
    return to_numpy(std::move(numbers));
  }
  [[nodiscard]] const Array<std::int64_t>& offsets() const { return offsets_; }
  [[nodiscard]] const Array<std::uint8_t>& bytes() const { return bytes_; }
  [[nodiscard]] const Array<std::uint32_t>& slots() const { return slots_; }

 private:
  static std::span<const char> characters(const Array<std::uint8_t>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(bytes.size())};
  }

  Array<std::int64_t> offsets_;
  Array<std::uint8_t> bytes_;
  Array<std::uint32_t> slots_;
  TextIndex index_;
};

// Reports progress and lets Ctrl-C through, between iterations.
AlignerProgress report_to(const py::object& progress) {
  return [&progress](int done, int total) {
    const py::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!progress.is_none()) progress(done, total);
  };
}

// Options are copied: who has the object may change it meanwhile.
Model fit(const Corpus& corpus, AlignerOptions options, std::size_t threads, const py::object& progress) {
  const AlignerProgress report = report_to(progress);
  const AlignerCorpus view = corpus.view();
  AlignerModel fitted;
  {
    const Unlocked unlocked;
    fitted = fit_aligner(view, options, threads, report);
  }
  return Model(std::move(fitted));
}

using TypeMaps = std::vector<std::pair<Array<std::int32_t>, Array<std::int32_t>>>;

std::vector<AlignerTypeMap> as_maps(const TypeMaps& maps) {
  std::vector<AlignerTypeMap> views;
  for (const auto& [source, target] : maps) views.push_back({as_span(source), as_span(target)});
  return views;
}

// Names every array of statistics.
template <class Statistics, class Visit>
void visit_statistics(Statistics& statistics, const Visit& visit) {
  for (std::size_t l = 0; l < statistics.levels.size(); ++l) {
    auto& level = statistics.levels[l];
    const std::string prefix = "levels." + std::to_string(l) + ".";
    visit(prefix + "offsets", level.offsets);
    visit(prefix + "targets", level.targets);
    visit(prefix + "counts", level.counts);
    visit(prefix + "pseudo", level.pseudo);
    visit(prefix + "source_links", level.source_links);
    visit(prefix + "target_links", level.target_links);
    visit(prefix + "source_pseudo", level.source_pseudo);
    visit(prefix + "target_pseudo", level.target_pseudo);
    visit(prefix + "source_tokens", level.source_tokens);
    visit(prefix + "target_tokens", level.target_tokens);
    visit(prefix + "source_met", level.source_met);
    visit(prefix + "target_met", level.target_met);
  }
  visit("source_words", statistics.source_words);
  visit("target_words", statistics.target_words);
  visit("source_null", statistics.source_null);
  visit("target_null", statistics.target_null);
  visit("source_jumps", statistics.source_jumps);
  visit("target_jumps", statistics.target_jumps);
}

// The numbers of statistics that are no arrays: far jumps of both sides, sentence pairs, blocks, levels.
using StatisticsNumbers = std::tuple<double, double, std::int64_t, std::int64_t, std::size_t>;
using StatisticsState = std::pair<StatisticsNumbers, ArraysByName>;

// What blocks have taught. Locked: who fits may read while nobody adds.
class Statistics {
 public:
  Statistics() = default;
  explicit Statistics(AlignerStatistics statistics) : statistics_(std::move(statistics)) {}
  Statistics(const StatisticsNumbers& numbers, const ArraysByName& arrays) {
    std::size_t levels = 0;
    std::tie(statistics_.source_far_jumps, statistics_.target_far_jumps, statistics_.sentence_pairs,
             statistics_.blocks, levels) = numbers;
    statistics_.levels.resize(levels);
    visit_statistics(statistics_, [&](const std::string& name, auto& values) {
      using Value = typename std::decay_t<decltype(values)>::value_type;
      if (!arrays.contains(name)) throw Error("array '" + name + "' is missing");
      const auto found = as_span(py::cast<Array<Value>>(arrays[py::str(name)]));
      values.assign(found.begin(), found.end());
    });
    check_statistics(statistics_);
  }

  [[nodiscard]] std::unique_ptr<Statistics> copy() const {
    const std::shared_lock lock(mutex_);
    return std::make_unique<Statistics>(statistics_);
  }
  [[nodiscard]] StatisticsNumbers numbers() const {
    const std::shared_lock lock(mutex_);
    return {statistics_.source_far_jumps, statistics_.target_far_jumps, statistics_.sentence_pairs,
            statistics_.blocks, statistics_.levels.size()};
  }
  [[nodiscard]] ArraysByName arrays() const {
    const std::shared_lock lock(mutex_);
    ArraysByName copies;
    visit_statistics(statistics_, [&](const std::string& name, const auto& values) {
      copies[py::str(name)] = to_numpy(std::decay_t<decltype(values)>(values));
    });
    return copies;
  }
  [[nodiscard]] std::unique_ptr<Statistics> fit(const Corpus& block, AlignerOptions options,
                                                std::size_t threads, const py::object& progress) const {
    const AlignerProgress report = report_to(progress);
    const AlignerCorpus view = block.view();
    const Unlocked unlocked;
    const std::shared_lock lock(mutex_);
    return std::make_unique<Statistics>(fit_aligner_block(view, options, statistics_, threads, report));
  }
  void add(const Statistics& block, const Array<std::int32_t>& source_words,
           const Array<std::int32_t>& target_words, const TypeMaps& levels, std::size_t most_entries) {
    const AlignerNumbers numbers{.source_words = as_span(source_words),
                                 .target_words = as_span(target_words),
                                 .levels = as_maps(levels)};
    if (&block == this) throw Error("statistics cannot be added to themselves");
    const Unlocked unlocked;
    const std::scoped_lock lock(mutex_);
    const std::shared_lock other(block.mutex_);
    add_statistics(statistics_, block.statistics_, numbers, most_entries);
  }
  [[nodiscard]] Model model(AlignerOptions options, const Corpus& last) const {
    const AlignerCorpus view = last.view();
    AlignerModel fitted;
    {
      const Unlocked unlocked;
      const std::shared_lock lock(mutex_);
      fitted = aligner_of(statistics_, options, view.levels);
    }
    return Model(std::move(fitted));
  }

 private:
  AlignerStatistics statistics_;
  mutable std::shared_mutex mutex_;
};

LinkColumns to_tuple(ScoredLinks links) {
  return py::make_tuple(to_numpy(std::move(links.offsets)), to_numpy(std::move(links.source)),
                        to_numpy(std::move(links.target)), to_numpy(std::move(links.score)));
}

// What `use` makes of the rows and the maps, while other threads may run Python.
template <class Use>
auto unlocked(const Corpus& corpus, const TypeMaps& maps, const Use& use) {
  const auto views = as_maps(maps);
  const AlignerCorpus view = corpus.view();
  const Unlocked unlocked;
  return use(view, std::span<const AlignerTypeMap>(views));
}

LinkColumns posterior(const Model& model, const Corpus& corpus, const TypeMaps& maps, double threshold,
                      double least_association, std::size_t threads) {
  return to_tuple(unlocked(corpus, maps, [&](const AlignerCorpus& rows, auto types) {
    return align_posterior(model.view(), rows, types, threshold, least_association, threads);
  }));
}

LinkColumns discriminative(const Model& model, const Corpus& corpus, const TypeMaps& maps,
                           std::optional<double> threshold, std::size_t threads) {
  return to_tuple(unlocked(corpus, maps, [&](const AlignerCorpus& rows, auto types) {
    return align_discriminative(model.view(), rows, types, threshold, threads);
  }));
}

LinkColumns viterbi(const Model& model, const Corpus& corpus, const TypeMaps& maps, Symmetrization method,
                    std::size_t threads) {
  return to_tuple(unlocked(corpus, maps, [&](const AlignerCorpus& rows, auto types) {
    return align_viterbi(model.view(), rows, types, method, threads);
  }));
}

// offsets, source, target, features
LinkColumns features(const Model& model, const Corpus& corpus, const TypeMaps& maps,
                     const Array<float>& first) {
  LinkFeatures found = unlocked(corpus, maps, [&](const AlignerCorpus& rows, auto types) {
    return link_features(model.view(), rows, types, as_span(first));
  });
  return py::make_tuple(to_numpy(std::move(found.cells.offsets)), to_numpy(std::move(found.cells.source)),
                        to_numpy(std::move(found.cells.target)), to_numpy(std::move(found.values)));
}

}  // namespace

void register_aligner(py::module_& m) {
  py::class_<AlignerOptions>(m, "AlignerOptions",
                             "What training depends on; see xner.alignment.AlignerOptions.")
      .def(py::init<>())
      .def_readwrite("ibm1_iterations", &AlignerOptions::ibm1_iterations)
      .def_readwrite("hmm_iterations", &AlignerOptions::hmm_iterations)
      .def_readwrite("diagonal", &AlignerOptions::diagonal)
      .def_readwrite("null_probability", &AlignerOptions::null_probability)
      .def_readwrite("alpha", &AlignerOptions::alpha)
      .def_readwrite("base_weight", &AlignerOptions::base_weight)
      .def_readwrite("null_base_weight", &AlignerOptions::null_base_weight)
      .def_readwrite("prior_weight", &AlignerOptions::prior_weight)
      .def_readwrite("similarity_floor", &AlignerOptions::similarity_floor)
      .def_readwrite("similarity_power", &AlignerOptions::similarity_power)
      .def_readwrite("letter_weight", &AlignerOptions::letter_weight)
      .def_readwrite("kind_weight", &AlignerOptions::kind_weight)
      .def_readwrite("length_weight", &AlignerOptions::length_weight)
      .def_readwrite("cue_halving", &AlignerOptions::cue_halving)
      .def_readwrite("jump_clip", &AlignerOptions::jump_clip)
      .def_readwrite("jump_smoothing", &AlignerOptions::jump_smoothing);

  py::class_<Corpus>(m, "AlignerCorpus", "Sentence pairs as word ids, with levels of folding.")
      .def(py::init<Array<std::int64_t>, Array<std::int32_t>, const Array<std::uint8_t>&, Array<std::int64_t>,
                    Array<std::int32_t>, const Array<std::uint8_t>&>(),
           py::arg("source_offsets").noconvert(), py::arg("source").noconvert(),
           py::arg("source_kinds").noconvert(), py::arg("target_offsets").noconvert(),
           py::arg("target").noconvert(), py::arg("target_kinds").noconvert())
      .def("add_level", &Corpus::add_level, py::arg("source_types").noconvert(),
           py::arg("source_text_offsets").noconvert(), py::arg("source_text").noconvert(),
           py::arg("target_types").noconvert(), py::arg("target_text_offsets").noconvert(),
           py::arg("target_text").noconvert(),
           "Adds a level: the type of each word, and each type's code points.")
      .def("set_lexicon", &Corpus::set_lexicon, py::arg("level"), py::arg("offsets").noconvert(),
           py::arg("targets").noconvert(), py::arg("weights").noconvert(),
           "By source type of a level: target types in ascending order, and their pseudo-counts.");

  py::class_<Model>(m, "AlignerModel", "A fitted aligner. Never changes.")
      .def(py::init<const AlignerOptions&, std::size_t, std::int64_t, const ArraysByName&, bool>(),
           py::arg("options"), py::arg("levels"), py::arg("sentence_pairs"), py::arg("arrays"), py::kw_only(),
           py::arg("is_input"),
           "The model of which arrays() are `arrays`; they are kept, not copied, and so must not change. "
           "Where the "
           "model is input, aligning looks at the pairs of types that it takes; otherwise all are looked at "
           "now.")
      .def_property_readonly("sentence_pairs", &Model::sentence_pairs)
      .def("arrays", &Model::arrays, "Copies of all arrays, by name.");

  py::class_<Texts>(m, "TextIndex", "Texts by number, and their numbers by text. Never changes.")
      .def(py::init<Array<std::int64_t>, Array<std::uint8_t>, Array<std::uint32_t>>(),
           py::arg("offsets").noconvert(), py::arg("bytes").noconvert(), py::arg("slots").noconvert(),
           "The index that has these arrays; they are kept, not copied, and so must not change.")
      .def_static("of", &Texts::of, py::arg("texts"), "Of texts that differ from each other, in UTF-8.")
      .def("__len__", &Texts::size)
      .def("find", &Texts::find, py::arg("texts"),
           "The number of each text, -1 for those that are not there.")
      .def_property_readonly("offsets", &Texts::offsets, "By text, one more at the end: where it begins.")
      .def_property_readonly("bytes", &Texts::bytes, "All texts, one after the other, in UTF-8.")
      .def_property_readonly("slots", &Texts::slots, "The hash table.");

  py::class_<Statistics>(m, "AlignerStatistics", "What blocks of a corpus have taught, at first none.")
      .def(py::init<>())
      .def(py::init<const StatisticsNumbers&, const ArraysByName&>(), py::arg("numbers"), py::arg("arrays"),
           "The statistics of which these are numbers() and arrays().")
      .def("fit", &Statistics::fit, py::arg("block"), py::arg("options"), py::kw_only(), py::arg("threads"),
           py::arg("progress"),
           "What a further block teaches, whose words and types begin with those of these statistics; they "
           "are "
           "what it goes on from.")
      .def(
          "add", &Statistics::add, py::arg("block"), py::kw_only(), py::arg("source_words").noconvert(),
          py::arg("target_words").noconvert(), py::arg("types"), py::arg("most_entries"),
          "Adds what a block has taught. By word of the block, and by type of both sides and each level: its "
          "number in the sums.")
      .def("model", &Statistics::model, py::arg("options"), py::arg("last"),
           "The model of all blocks so far; `last` has all their words and types.")
      .def("copy", &Statistics::copy)
      .def("numbers", &Statistics::numbers, "What is no array: far jumps, sentence pairs, blocks, levels.")
      .def("arrays", &Statistics::arrays, "Copies of all arrays, by name.")
      .def(py::pickle([](const Statistics& one) { return StatisticsState(one.numbers(), one.arrays()); },
                      [](const StatisticsState& state) {
                        return std::make_unique<Statistics>(state.first, state.second);
                      }));

  m.def("fit_aligner", &fit, py::arg("corpus"), py::arg("options"), py::kw_only(), py::arg("threads"),
        py::arg("progress"),
        "Fits a model. progress(done, total) is called after every iteration unless it is None.");
  m.def("align_posterior", &posterior, py::arg("model"), py::arg("corpus"), py::arg("maps"), py::kw_only(),
        py::arg("threshold"), py::arg("least_association"), py::arg("threads"),
        "Links scored above the threshold: offsets, source, target, score.");
  m.def("align_discriminative", &discriminative, py::arg("model"), py::arg("corpus"), py::arg("maps"),
        py::kw_only(), py::arg("threshold"), py::arg("threads"),
        "Links that the classifier gives a probability above the threshold, or, without one, those of "
        "highest expected F1: offsets, source, target, score.");
  m.def("link_features", &features, py::arg("model"), py::arg("corpus"), py::arg("maps"), py::kw_only(),
        py::arg("first"),
        "What the classifier's first network is given, or the second one where there are the first one's "
        "probabilities:"
        " offsets, source, target, features (cells x 2 views x features, flat).");
  m.def(
      "link_classifier_weights",
      [] {
        const std::span<const float> weights = link_classifier_weights();
        return to_numpy(std::vector<float>(weights.begin(), weights.end()));
      },
      "The classifier's numbers, one network after the other.");
  m.def("align_viterbi", &viterbi, py::arg("model"), py::arg("corpus"), py::arg("maps"), py::kw_only(),
        py::arg("method"), py::arg("threads"),
        "Symmetrised Viterbi alignments: offsets, source, target, score.");
}

}  // namespace xner::bindings
