// Readers of Arrow columns that several batch functions share.
#pragma once

#include <cstdint>
#include <string>

#include "xner/arrow.hpp"
#include "xner/error.hpp"

namespace xner {

// The field of a batch or struct. Throws Error when there is none.
inline arrow::ArrayRef require_field(arrow::ArrayRef parent, const char* field, const std::string& column,
                                     const char* type) {
  const arrow::ArrayRef found = parent.is_struct() ? parent.field(field) : arrow::ArrayRef{};
  if (!found) throw Error("column '" + column + "' is missing or not " + type);
  return found;
}

// Throws DataError, without a row, where one of the columns is null at `i`.
template <class... Columns>
void reject_nulls(const std::string& column, std::int64_t i, const Columns&... columns) {
  if ((columns.is_null(i) || ...))
    throw DataError(-1, column, "null", "a null stands where a value is needed");
}

// A list column of structs with integer fields.
struct StructLists {
  arrow::ListColumn lists;
  arrow::ArrayRef item;
  arrow::Validity item_validity;

  StructLists() = default;
  StructLists(arrow::ArrayRef ref, const std::string& column) : lists(ref, column), item(lists.child()) {
    if (!item.is_struct()) throw Error("column '" + column + "': expected a list of structs");
    item_validity = arrow::Validity(*item.array);
  }
  [[nodiscard]] arrow::Int32Column int32(const char* field, const std::string& column,
                                         const char* type) const {
    return {require_field(item, field, column, type), column + "." + field, item.array->offset};
  }
};

}  // namespace xner
