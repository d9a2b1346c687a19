#include "xner/arrow.hpp"

#include "xner/error.hpp"

namespace xner::arrow {

namespace {

[[noreturn]] void throw_type(std::string_view column, std::string_view expected, std::string_view found) {
  throw Error("column '" + std::string(column) + "': expected " + std::string(expected) +
              ", found Arrow format '" + std::string(found) + "'");
}

// Arrow's name of a type, and the reader's.
template <class T>
struct Primitive;
template <>
struct Primitive<std::int32_t> {
  static constexpr std::string_view format = "i";
  static constexpr std::string_view name = "int32";
};
template <>
struct Primitive<float> {
  static constexpr std::string_view format = "f";
  static constexpr std::string_view name = "float32";
};
template <>
struct Primitive<Half> {
  static constexpr std::string_view format = "e";
  static constexpr std::string_view name = "float16";
};

// What an exported array keeps alive until it is released.
struct ArrayHolder {
  OwnedArray owned;
  std::vector<const void*> buffers;
  std::vector<std::unique_ptr<ArrowArray>> children;
  std::vector<ArrowArray*> child_pointers;
  std::unique_ptr<ArrowArray> dictionary;
};

struct SchemaHolder {
  std::string format;
  std::string name;
  std::vector<std::unique_ptr<ArrowSchema>> children;
  std::vector<ArrowSchema*> child_pointers;
  std::unique_ptr<ArrowSchema> dictionary;
};

// A consumer may have moved a child out and released it already.
template <class CStruct>
void release_parts(CStruct* parent) {
  for (std::int64_t i = 0; i < parent->n_children; ++i) {
    if (parent->children[i]->release != nullptr) parent->children[i]->release(parent->children[i]);
  }
  if (parent->dictionary != nullptr && parent->dictionary->release != nullptr) {
    parent->dictionary->release(parent->dictionary);
  }
}

void release_array(ArrowArray* array) {
  release_parts(array);
  delete static_cast<ArrayHolder*>(array->private_data);
  array->release = nullptr;
}

void release_schema(ArrowSchema* schema) {
  release_parts(schema);
  delete static_cast<SchemaHolder*>(schema->private_data);
  schema->release = nullptr;
}

void fill_schema(const OwnedArray& owned, ArrowSchema* out) {
  auto holder = std::make_unique<SchemaHolder>();
  holder->format = owned.format;
  holder->name = owned.name;
  for (const OwnedArray& child : owned.children) {
    holder->children.push_back(std::make_unique<ArrowSchema>());
    fill_schema(child, holder->children.back().get());
    holder->child_pointers.push_back(holder->children.back().get());
  }
  if (owned.dictionary) {
    holder->dictionary = std::make_unique<ArrowSchema>();
    fill_schema(*owned.dictionary, holder->dictionary.get());
  }
  *out = ArrowSchema{.format = holder->format.c_str(),
                     .name = holder->name.c_str(),
                     .metadata = nullptr,
                     .flags = owned.nullable ? ARROW_FLAG_NULLABLE : 0,
                     .n_children = static_cast<std::int64_t>(holder->children.size()),
                     .children = holder->child_pointers.data(),
                     .dictionary = holder->dictionary.get(),
                     .release = release_schema,
                     .private_data = nullptr};
  out->private_data = holder.release();
}

void fill_array(OwnedArray owned, ArrowArray* out) {
  auto holder = std::make_unique<ArrayHolder>();
  for (OwnedArray& child : owned.children) {
    holder->children.push_back(std::make_unique<ArrowArray>());
    fill_array(std::move(child), holder->children.back().get());
    holder->child_pointers.push_back(holder->children.back().get());
  }
  if (owned.dictionary) {
    holder->dictionary = std::make_unique<ArrowArray>();
    fill_array(std::move(*owned.dictionary), holder->dictionary.get());
  }
  holder->owned = std::move(owned);
  for (const Buffer& buffer : holder->owned.buffers) holder->buffers.push_back(buffer.get());
  constexpr std::int64_t not_counted = -1;
  const bool may_have_nulls = !holder->buffers.empty() && holder->buffers.front() != nullptr;
  *out = ArrowArray{.length = holder->owned.length,
                    .null_count = may_have_nulls ? not_counted : 0,
                    .offset = 0,
                    .n_buffers = static_cast<std::int64_t>(holder->buffers.size()),
                    .n_children = static_cast<std::int64_t>(holder->children.size()),
                    .buffers = holder->buffers.data(),
                    .children = holder->child_pointers.data(),
                    .dictionary = holder->dictionary.get(),
                    .release = release_array,
                    .private_data = nullptr};
  out->private_data = holder.release();
}

OwnedArray empty_array(std::string format, std::string name, std::int64_t length) {
  OwnedArray result;
  result.format = std::move(format);
  result.name = std::move(name);
  result.length = length;
  return result;
}

}  // namespace

ArrayRef ArrayRef::field(std::string_view name) const noexcept {
  for (std::int64_t i = 0; i < schema->n_children; ++i) {
    if (name == schema->children[i]->name) return {schema->children[i], array->children[i]};
  }
  return {};
}

ListColumn::ListColumn(ArrayRef ref, std::string_view column) {
  const bool wide = ref.format() == "+L";
  if (!wide && ref.format() != "+l") throw_type(column, "a list", ref.format());
  size_ = ref.array->length;
  validity_ = Validity(*ref.array);
  offsets_ = Offsets(ref.array->buffers[1], ref.array->offset, wide);
  child_ = {ref.schema->children[0], ref.array->children[0]};
}

StringColumn::StringColumn(ArrayRef ref, std::string_view column, std::int64_t extra_offset)
    : extra_(extra_offset) {
  validity_ = Validity(*ref.array);
  if (ref.schema->dictionary != nullptr) {
    if (ref.format() != "i") throw_type(column, "a string dictionary with int32 indices", ref.format());
    indices_ = static_cast<const std::int32_t*>(ref.array->buffers[1]) + ref.array->offset;
    ref = {ref.schema->dictionary, ref.array->dictionary};
  }
  const bool wide = ref.format() == "U";
  if (!wide && ref.format() != "u") throw_type(column, "strings", ref.format());
  offsets_ = Offsets(ref.array->buffers[1], ref.array->offset, wide);
  data_ = static_cast<const char*>(ref.array->buffers[2]);
}

template <class T>
PrimitiveColumn<T>::PrimitiveColumn(ArrayRef ref, std::string_view column, std::int64_t extra_offset)
    : extra_(extra_offset) {
  if (ref.format() != Primitive<T>::format) throw_type(column, Primitive<T>::name, ref.format());
  validity_ = Validity(*ref.array);
  data_ = static_cast<const T*>(ref.array->buffers[1]);
  if (data_ != nullptr) data_ += ref.array->offset + extra_offset;
}

template class PrimitiveColumn<std::int32_t>;
template class PrimitiveColumn<float>;
template class PrimitiveColumn<Half>;

OwnedArray make_primitive(std::string name, std::string format, std::int64_t length, Buffer values) {
  OwnedArray result = empty_array(std::move(format), std::move(name), length);
  result.buffers.emplace_back();
  result.buffers.push_back(std::move(values));
  return result;
}

OwnedArray make_string(std::string name, std::int64_t length, Buffer offsets, Buffer data) {
  OwnedArray result = empty_array("u", std::move(name), length);
  result.buffers.emplace_back();
  result.buffers.push_back(std::move(offsets));
  result.buffers.push_back(std::move(data));
  return result;
}

OwnedArray make_list(std::string name, std::int64_t length, Buffer offsets, OwnedArray child) {
  OwnedArray result = empty_array("+l", std::move(name), length);
  child.name = "item";
  result.buffers.emplace_back();
  result.buffers.push_back(std::move(offsets));
  result.children.push_back(std::move(child));
  return result;
}

OwnedArray make_struct(std::string name, std::int64_t length, std::vector<OwnedArray> children) {
  OwnedArray result = empty_array("+s", std::move(name), length);
  result.buffers.emplace_back();
  result.children = std::move(children);
  return result;
}

void export_array(OwnedArray owned, ArrowSchema* schema, ArrowArray* array) {
  fill_schema(owned, schema);
  fill_array(std::move(owned), array);
}

}  // namespace xner::arrow
