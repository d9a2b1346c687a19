// Arrow data for tests, made by the core's own export, and small helpers.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "xner/arrow.hpp"
#include "xner/labels.hpp"
#include "xner/links.hpp"
#include "xner/span.hpp"

namespace xner::test {

// An exported array and its schema, released at the end of the scope unless somebody did before.
class Exported {
 public:
  explicit Exported(arrow::OwnedArray owned) { arrow::export_array(std::move(owned), &schema_, &array_); }
  Exported(const Exported&) = delete;
  Exported& operator=(const Exported&) = delete;
  Exported(Exported&&) = delete;
  Exported& operator=(Exported&&) = delete;
  ~Exported() {
    if (schema_.release != nullptr) schema_.release(&schema_);
    if (array_.release != nullptr) array_.release(&array_);
  }

  [[nodiscard]] arrow::ArrayRef ref() const { return {&schema_, &array_}; }
  ArrowSchema& schema() { return schema_; }
  ArrowArray& array() { return array_; }

 private:
  ArrowSchema schema_{};
  ArrowArray array_{};
};

inline arrow::OwnedArray int32s(std::string name, const std::vector<std::int32_t>& values) {
  return arrow::make_primitive(std::move(name), "i", static_cast<std::int64_t>(values.size()),
                               arrow::Buffer::of(values));
}

inline arrow::OwnedArray floats(std::string name, const std::vector<float>& values) {
  return arrow::make_primitive(std::move(name), "f", static_cast<std::int64_t>(values.size()),
                               arrow::Buffer::of(values));
}

inline arrow::OwnedArray strings(std::string name, const std::vector<std::string>& values) {
  std::vector<std::int32_t> offsets{0};
  std::vector<char> data;
  for (const std::string& value : values) {
    data.insert(data.end(), value.begin(), value.end());
    offsets.push_back(static_cast<std::int32_t>(data.size()));
  }
  return arrow::make_string(std::move(name), static_cast<std::int64_t>(values.size()),
                            arrow::Buffer::of(offsets), arrow::Buffer::of(data));
}

// Lists of the given lengths over the values of `child`.
inline arrow::OwnedArray lists(std::string name, const std::vector<std::int32_t>& lengths,
                               arrow::OwnedArray child) {
  std::vector<std::int32_t> offsets{0};
  for (const std::int32_t length : lengths) offsets.push_back(offsets.back() + length);
  return arrow::make_list(std::move(name), static_cast<std::int64_t>(lengths.size()),
                          arrow::Buffer::of(offsets), std::move(child));
}

// A bitmap with one bit a value, least significant first.
inline arrow::Buffer bitmap(const std::vector<bool>& valid) {
  std::vector<std::uint8_t> bytes((valid.size() + 7) / 8, 0);
  for (std::size_t i = 0; i < valid.size(); ++i) {
    if (valid[i]) bytes[i / 8] = static_cast<std::uint8_t>(bytes[i / 8] | (1U << (i % 8)));
  }
  return arrow::Buffer::of(bytes);
}

struct Entity {
  std::int32_t start;
  std::int32_t end;
  std::string label;
};

// A sentence pair in plain form.
struct Row {
  std::vector<std::string> tokens;
  std::vector<Entity> entities;
  std::vector<Link> links;
};

// The record batch of rows, as projection takes it.
inline arrow::OwnedArray batch(const std::vector<Row>& rows) {
  std::vector<std::int32_t> words, entity_counts, link_counts, starts, ends, sources, targets;
  std::vector<std::string> tokens, labels;
  for (const Row& row : rows) {
    words.push_back(static_cast<std::int32_t>(row.tokens.size()));
    entity_counts.push_back(static_cast<std::int32_t>(row.entities.size()));
    link_counts.push_back(static_cast<std::int32_t>(row.links.size()));
    tokens.insert(tokens.end(), row.tokens.begin(), row.tokens.end());
    for (const Entity& entity : row.entities) {
      starts.push_back(entity.start);
      ends.push_back(entity.end);
      labels.push_back(entity.label);
    }
    for (const Link link : row.links) {
      sources.push_back(link.source);
      targets.push_back(link.target);
    }
  }
  std::vector<arrow::OwnedArray> entity_fields;
  entity_fields.push_back(int32s("start", starts));
  entity_fields.push_back(int32s("end", ends));
  entity_fields.push_back(strings("label", labels));
  std::vector<arrow::OwnedArray> link_fields;
  link_fields.push_back(int32s("source", sources));
  link_fields.push_back(int32s("target", targets));
  std::vector<arrow::OwnedArray> columns;
  columns.push_back(lists("tokens", words, strings("item", tokens)));
  columns.push_back(
      lists("source_entities", entity_counts,
            arrow::make_struct("item", static_cast<std::int64_t>(starts.size()), std::move(entity_fields))));
  columns.push_back(
      lists("links", link_counts,
            arrow::make_struct("item", static_cast<std::int64_t>(sources.size()), std::move(link_fields))));
  return arrow::make_struct("", static_cast<std::int64_t>(rows.size()), std::move(columns));
}

// A list<string> column as vectors.
inline std::vector<std::vector<std::string>> read_strings(arrow::ArrayRef ref) {
  const arrow::ListColumn column(ref, "test");
  const arrow::StringColumn values(column.child(), "test");
  std::vector<std::vector<std::string>> result;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    result.emplace_back();
    const auto [begin, end] = column.row(row);
    for (std::int64_t i = begin; i < end; ++i) result.back().emplace_back(values[i]);
  }
  return result;
}

// The message of what `call` throws; empty when it throws nothing.
template <class Thrown, class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const Thrown& error) {
    return error.what();
  }
  return {};
}

}  // namespace xner::test
