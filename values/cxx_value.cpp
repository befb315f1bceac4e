#include "values/cxx_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>

namespace cgo {
namespace {

constexpr std::uint64_t kMostElements = std::uint64_t{1} << 47;
constexpr const char* kTooDeep = "cut: nested deeper than asked for";
constexpr unsigned kDeepestAlignment = 16;
constexpr std::uint64_t kMostAligned = 16;

/// An alignment that a source can ask for; damaged ones do not count.
std::uint64_t asked_for(std::uint64_t alignment) {
  constexpr std::uint64_t kMost = 1 << 16;
  return std::has_single_bit(alignment) && alignment <= kMost ? alignment : 1;
}

std::uint64_t alignment_within(const Type* type, unsigned depth, std::uint64_t& budget) {
  const Type* bare = plain(type);
  if (depth == 0 || budget == 0) return 1;
  --budget;
  // On the way to the type itself an alias may ask for one too.
  if (const std::uint64_t asked = asked_for(std::max(type->alignment(), bare->alignment()));
      asked > 1)
    return asked;
  switch (bare->kind()) {
    case TypeKind::structure:
    case TypeKind::class_type:
    case TypeKind::union_type: {
      std::uint64_t widest = 1;
      auto members = bare->members();
      for (std::size_t i = 0; members && i < members->size(); ++i)
        if (auto member = bare->member_type(i); member && !(*members)[i].is_static)
          widest = std::max({widest, asked_for((*members)[i].alignment),
                             alignment_within(*member, depth - 1, budget)});
      return widest;
    }
    case TypeKind::array:
    case TypeKind::complex: {
      if (bare->kind() == TypeKind::complex) return std::min(bare->bytes() / 2, kMostAligned);
      auto element = bare->target();
      return element ? alignment_within(*element, depth - 1, budget) : 1;
    }
    default:
      return std::clamp<std::uint64_t>(bare->bytes(), 1, kMostAligned);
  }
}

}  // namespace

Error cxx_damaged(std::string_view why) {
  return {ErrorCode::malformed_data, "damaged, or not constructed yet: " + std::string(why)};
}

bool no_address(Address address) { return address.value > 0x7fffffffffff; }

std::uint64_t alignment_of(const Type* type) {
  std::uint64_t budget = 1000;
  return std::max<std::uint64_t>(alignment_within(type, kDeepestAlignment, budget), 1);
}

Result<Datum> CxxValue::field(Path path) const {
  Datum datum = value_.datum;
  for (const std::string_view name : path) {
    auto next = field_of(memory(), datum, name);
    if (!next) return next;
    datum = *std::move(next);
  }
  return datum;
}

Result<std::uint64_t> CxxValue::number(Path path) const {
  auto datum = field(path);
  if (!datum) return std::move(datum).error();
  return load_unsigned(memory(), *datum);
}

Result<Address> CxxValue::word(Path path) const {
  auto datum = field(path);
  if (!datum) return std::move(datum).error();
  return load_word(memory(), *datum);
}

void CxxValue::become(Value other) {
  value_.shape = other.shape;
  value_.text = std::move(other.text);
  value_.summary = std::move(other.summary);
  value_.length = other.length;
  value_.children = std::move(other.children);
  value_.keys = std::move(other.keys);
  std::move(other.notes.begin(), other.notes.end(), std::back_inserter(value_.notes));
  value_.error = std::move(other.error);
  value_.unread += other.unread;
}

Value CxxValue::part(std::string name, Datum datum) {
  return reader_.read(std::move(name), std::move(datum), depth_ == 0 ? 0 : depth_ - 1);
}

bool CxxValue::begin(Value::Shape shape, std::uint64_t count, std::string text) {
  value_.shape = shape;
  value_.length = count;
  value_.text = text.empty() ? fmt::format("len {}", count) : std::move(text);
  if (depth_ != 0 || count == 0) return true;
  value_.notes.emplace_back(kTooDeep);
  return false;
}

bool CxxValue::goes_on() {
  return value_.children.size() < limits().elements && reader_.may_read(value_);
}

void CxxValue::add_element(Datum datum) {
  value_.children.push_back(part(fmt::format("[{}]", value_.children.size()), std::move(datum)));
}

Result<void> CxxValue::add_pair(const Datum& pair) {
  auto key = own_field_of(pair, "first"), element = own_field_of(pair, "second");
  if (!key) return std::move(key).error();
  if (!element) return std::move(element).error();
  reader_.add_entry(value_, *std::move(key), *std::move(element), depth_);
  return {};
}

void CxxValue::note_freed(Address address) { reader_.note_freed(value_, address); }

void CxxValue::end(std::uint64_t count, bool ended) {
  const std::uint64_t shown = value_.children.size();
  if (shown >= count) return;
  value_.notes.push_back(ended ? fmt::format("damaged: it ends after {} of {}", shown, count)
                               : fmt::format("cut after {} of {}", shown, count));
}

Result<void> CxxValue::show_sequence(const Type* element, Address first, std::uint64_t count,
                                     std::string text) {
  const std::uint64_t bytes = element->bytes();
  if (count > kMostElements || bytes > kMostElements / std::max<std::uint64_t>(count, 1) ||
      !checked_add(first, count * bytes))
    return cxx_damaged("no memory is as large as it says");
  if (count != 0) note_freed(first);
  const bool shows = begin(Value::Shape::elements, count, std::move(text));
  if (!shows || count == 0) return {};
  Datum all = datum_at(element, first);
  // One read for all that is shown.
  const std::uint64_t shown = std::min(count, limits().elements);
  if (shown * bytes <= kMostDatumBytes)
    if (auto read = read_bytes(memory(), first, shown * bytes)) all.bytes = *std::move(read);
  reader_.read_elements(value_, all, element, count, depth_);
  return {};
}

}  // namespace cgo
