#include "values/word_place.h"

#include <fmt/format.h>

#include <algorithm>

namespace cgo {
namespace {

constexpr unsigned kMostLevels = 100;

Error none(const Type& type, std::uint64_t offset) {
  return {ErrorCode::not_found,
          fmt::format("no word lies {} bytes into a {}", offset, format_type(type))};
}

/// What the runtime's own types for maps and channels are called in debug information.
/// Source: src/cmd/link/internal/ld/dwarf.go, mkinternaltype.
bool is_inner(std::string_view name) {
  for (const std::string_view prefix :
       {"hash<", "bucket<", "hchan<", "sudog<", "waitq<", "map<", "table<", "group<"})
    if (name.starts_with(prefix)) return true;
  return name.starts_with("internal/runtime/maps.") || name.starts_with("runtime.hmap") ||
         name.starts_with("groupReference<");
}

/// The parts of the runtime's types that are the program's own values again.
bool is_value_of_program(std::string_view member) {
  for (const std::string_view name : {"keys", "values", "key", "elem", "slots", "buf"})
    if (member == name) return true;
  return false;
}

class Descent {
 public:
  Result<WordPlace> run(const Type& type, std::uint64_t offset) {
    const Type* at = &type;
    for (unsigned level = 0; level < kMostLevels; ++level) {
      const auto plain = stripped(at);
      if (!plain) return plain.error();
      at = *plain;
      switch (at->kind()) {
        case TypeKind::structure:
        case TypeKind::class_type: {
          auto next = into_structure(*at, offset);
          if (!next) return std::move(next).error();
          at = *next;
          break;
        }
        case TypeKind::array: {
          auto next = into_array(*at, offset);
          if (!next) return std::move(next).error();
          at = *next;
          break;
        }
        default:
          return word(*at, offset);
      }
    }
    return Error{ErrorCode::limit_reached, "types within types have no end"};
  }

 private:
  Result<const Type*> into_structure(const Type& type, std::uint64_t& offset) {
    const auto members = type.members();
    if (!members) return members.error();
    for (std::size_t i = 0; i < members->size(); ++i) {
      const TypeMember& member = (*members)[i];
      if (member.is_static || member.computed || member.bit_size != 0 || member.offset > offset)
        continue;
      const auto found = type.member_type(i);
      if (!found) continue;
      if (offset - member.offset >= (*found)->bytes()) continue;
      offset -= member.offset;
      name(type, member.name);
      return *found;
    }
    return none(type, offset);
  }

  void name(const Type& type, std::string_view member) {
    if (is_inner(type.name())) {
      if (!out_.inner) out_.path += "[…]";
      out_.inner = !is_value_of_program(member);
      hidden_ = true;
    } else if (!member.empty() && !(hidden_ && is_value_of_program(member))) {
      out_.path += "." + std::string(member);
      hidden_ = false;
    }
  }

  Result<const Type*> into_array(const Type& type, std::uint64_t& offset) {
    const auto element = type.target();
    if (!element) return element.error();
    const std::uint64_t bytes = (*element)->bytes();
    if (bytes == 0 || offset / bytes >= type.length().value_or(0)) return none(type, offset);
    if (!hidden_) out_.path += fmt::format("[{}]", offset / bytes);
    offset %= bytes;
    return *element;
  }

  Result<WordPlace> word(const Type& type, std::uint64_t offset) {
    const bool several = type.kind() == TypeKind::go_string || type.kind() == TypeKind::go_slice ||
                         type.kind() == TypeKind::go_interface;
    if (offset % 8 != 0 || offset >= type.bytes() || (offset != 0 && !several))
      return none(type, offset);
    if (type.kind() == TypeKind::union_type) return none(type, offset);
    out_.type = &type;
    out_.offset = offset;
    return std::move(out_);
  }

  WordPlace out_;
  bool hidden_ = false;  // The last step was into a type of the runtime.
};

}  // namespace

Result<WordPlace> word_in(const Type& type, std::uint64_t offset) {
  return Descent().run(type, offset);
}

Result<const Type*> behind_word(const WordPlace& place) {
  const Type& type = *place.type;
  const auto unknown = [&] {
    return Error{ErrorCode::not_found, format_type(type) + " does not say what it leads to"};
  };
  if (place.offset != 0) return unknown();
  switch (type.kind()) {
    case TypeKind::pointer:
    case TypeKind::reference:
    case TypeKind::go_slice:
      return type.target();
    case TypeKind::go_map:
    case TypeKind::go_channel: {
      const auto made_of = type.representation();
      if (!made_of) return made_of.error();
      const auto pointer = stripped(*made_of);
      if (!pointer) return pointer.error();
      return (*pointer)->target();
    }
    default:
      return unknown();
  }
}

}  // namespace cgo
