// Errors the core throws for bad input.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace xner {

// Bad input or an unusable option. The message says what was expected and what was found.
class Error : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// One row of the input is wrong: names the row, the column and the value.
class DataError : public Error {
 public:
  // `row` is the row's index in its batch, or -1 for a call on a single sentence.
  DataError(std::int64_t row, std::string column, std::string value, const std::string& reason)
      : Error(message(row, column, value, reason)),
        row_(row),
        column_(std::move(column)),
        value_(std::move(value)),
        reason_(reason) {}

  [[nodiscard]] std::int64_t row() const noexcept { return row_; }
  [[nodiscard]] const std::string& column() const noexcept { return column_; }
  [[nodiscard]] const std::string& value() const noexcept { return value_; }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  static std::string message(std::int64_t row, const std::string& column, const std::string& value,
                             const std::string& reason) {
    std::string text;
    if (row >= 0) text += "row " + std::to_string(row) + ", ";
    text += "column '" + column + "', value " + value + ": " + reason;
    return text;
  }

  std::int64_t row_;
  std::string column_;
  std::string value_;
  std::string reason_;
};

}  // namespace xner
