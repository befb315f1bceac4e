#include "values/c_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "values/c_layout.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMostAligned = 4096;
constexpr int kDeepestAnonymous = 16;

std::uint64_t aligned(std::uint64_t at, std::uint64_t to) { return (at + to - 1) / to * to; }

/// The smallest alignment that takes `from` to `to`; 0 when none does.
std::uint64_t alignment_between(std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t step = 1; step <= kMostAligned; step *= 2)
    if (aligned(from, step) == to) return step;
  return 0;
}

/// One structure or union. Gaps come from alignment where that gives them, so that debuggers show
/// the fields alone; from fields for padding otherwise, or when `plainly`.
class FieldWriter {
 public:
  /// `bytes`: as many as it may take, which are less for a base class whose padding others use.
  FieldWriter(const Type& type, std::uint64_t bytes, unsigned level, CDeclarator& declarator,
              bool plainly, int nested)
      : type_(type),
        bytes_(bytes),
        level_(level),
        declarator_(declarator),
        plainly_(plainly),
        nested_(nested),
        is_union_(kind_of(&type) == TypeKind::union_type) {}

  /// Nothing when it does not work out with alignments.
  Result<std::optional<CBody>> write() {
    const auto members = type_.members();
    if (!members) return members.error();
    for (std::size_t i = 0; i < members->size(); ++i) {
      const auto member_type = type_.member_type(i);
      if (!member_type) continue;  // A gap stands in its place.
      const TypeMember& member = (*members)[i];
      if (member.is_static || member.computed || holds_nothing(**member_type)) continue;
      room_ = room_of(*members, i);
      add(member, **member_type);
    }
    if (overlaps_)
      return Error{ErrorCode::unsupported, "C has no way to say where its " + *overlaps_ + " lies"};
    if (is_union_) bits_ = 8 * widest_;
    const std::uint64_t end = (bits_ + 7) / 8, bytes = bytes_;
    if (aligned(end, most_aligned_) > bytes) {
      if (!plainly_) return std::optional<CBody>();
      return Error{ErrorCode::malformed_data, "its members go over its end"};
    }
    std::uint64_t align = most_aligned_;
    if (aligned(end, align) != bytes) {
      const std::uint64_t wider = plainly_ ? 0 : alignment_between(end, bytes);
      if (wider >= most_aligned_) {
        align = wider;
      } else if (is_union_) {
        body_.text += fmt::format("unsigned char {}[{}]; ", own_name("pad"), bytes);
      } else {
        pad_bits(8 * bytes);
      }
    }
    body_.text = "{ " + body_.text + "} __attribute__((packed";
    if (align > 1) body_.text += fmt::format(", aligned({})", align);
    body_.text += "))";
    return std::optional<CBody>(std::move(body_));
  }

 private:
  void add(const TypeMember& member, const Type& member_type) {
    const bool is_blank = member.name == "_";
    const std::uint64_t bits =
        member.bit_size != 0 ? member.bit_size : 8 * plain(&member_type)->bytes();
    const std::uint64_t at = 8 * member.offset + (member.bit_size != 0 ? member.bit_offset : 0);
    const std::uint64_t end = 8 * bytes_;
    if (bits == 0 || is_blank) return;
    const bool shares = 8 * room_ < bits && member.base_class;
    const std::uint64_t taken = shares ? 8 * room_ : bits;
    if (at > end || taken > end - at || (is_union_ ? at != 0 : at < bits_)) {
      overlaps_ = member.name.empty() ? format_type(member_type) : std::string(member.name);
      return;
    }
    const std::string attribute = is_union_ ? "" : move_to(at, member.bit_size != 0);
    if (!add_text(member, member_type, attribute, shares)) overlaps_ = format_type(member_type);
    bits_ = at + taken;
    widest_ = std::max(widest_, (bits + 7) / 8);
  }

  /// A class of C++ without data takes no place where it is a base, and has none to show elsewhere.
  static bool holds_nothing(const Type& type) {
    const Type& bare = *plain(&type);
    const auto members = bare.members();
    return !bare.is_go() && bare.bytes() == 1 && members && bare.complete() &&
           std::ranges::all_of(
               *members, [](const TypeMember& one) { return one.is_static || one.base_class; });
  }

  /// How many bytes there are from the member to what comes behind it.
  std::uint64_t room_of(std::span<const TypeMember> members, std::size_t index) const {
    std::uint64_t next = bytes_;
    for (std::size_t i = index + 1; i < members.size(); ++i) {
      const TypeMember& other = members[i];
      const auto type = type_.member_type(i);
      if (other.is_static || other.computed || !type || holds_nothing(**type)) continue;
      if (other.offset > members[index].offset) next = std::min(next, other.offset);
    }
    return next - std::min(next, members[index].offset);
  }

  /// False where it cannot be said without the bytes that others share.
  bool add_text(const TypeMember& member, const Type& member_type, const std::string& attribute,
                bool shares) {
    const TypeKind kind = kind_of(&member_type);
    const bool record =
        kind == TypeKind::structure || kind == TypeKind::union_type || kind == TypeKind::class_type;
    if (member.name.empty() && record && nested_ < kDeepestAnonymous &&
        add_anonymous(member_type, shares ? room_ : plain(&member_type)->bytes()))
      return true;
    if (shares) return false;
    const std::string name = own_name(c_identifier(!member.name.empty() ? std::string(member.name)
                                                   : member.base_class  ? format_type(member_type)
                                                                        : "unnamed"));
    body_.text += declarator_.declare(&member_type, name, level_);
    if (member.bit_size != 0)
      body_.text += fmt::format(" : {}", member.bit_size);
    else
      body_.places.push_back({name, member.offset});
    body_.text += attribute + "; ";
    return true;
  }

  /// C's structure without a name: its fields are those of what holds it.
  bool add_anonymous(const Type& member_type, std::uint64_t bytes) {
    const Type& inner = *plain(&member_type);
    auto body = FieldWriter(inner, bytes, level_, declarator_, true, nested_ + 1).write();
    if (!body || !*body) return false;
    body_.text += kind_of(&inner) == TypeKind::union_type ? "union " : "struct ";
    body_.text += (*body)->text + "; ";
    return true;
  }

  /// Fills the gap before the bit `at`; returns the attribute that the next field needs.
  std::string move_to(std::uint64_t at, bool is_bits) {
    if (at == bits_) return {};
    if (!is_bits && !plainly_) {
      const std::uint64_t step = alignment_between((bits_ + 7) / 8, at / 8);
      if (step == 1) return {};
      if (step != 0) {
        most_aligned_ = std::max(most_aligned_, step);
        return fmt::format(" __attribute__((aligned({})))", step);
      }
    }
    pad_bits(at);
    return {};
  }

  void pad_bits(std::uint64_t until) {
    const std::uint64_t odd = std::min((8 - bits_ % 8) % 8, until - bits_);
    if (odd != 0) pad_some(odd);
    if (until / 8 > bits_ / 8) {
      const std::uint64_t bytes = until / 8 - bits_ / 8;
      body_.text += fmt::format("unsigned char {}[{}]; ", own_name("pad"), bytes);
      bits_ += 8 * bytes;
    }
    if (until > bits_) pad_some(until - bits_);
  }
  void pad_some(std::uint64_t bits) {
    body_.text += fmt::format("unsigned char {} : {}; ", own_name("pad"), bits);
    bits_ += bits;
  }

  std::string own_name(std::string base) {
    std::string name = base;
    for (int number = 2; !names_.insert(name).second; ++number)
      name = fmt::format("{}_{}", base, number);
    return name;
  }

  const Type& type_;
  const std::uint64_t bytes_;
  const unsigned level_;
  CDeclarator& declarator_;
  const bool plainly_;
  const int nested_;
  const bool is_union_;
  CBody body_;
  std::set<std::string> names_;
  std::uint64_t room_ = 0;
  std::optional<std::string> overlaps_;
  std::uint64_t bits_ = 0, widest_ = 0, most_aligned_ = 1;
};

}  // namespace

Result<CBody> c_fields(const Type& type, unsigned level, CDeclarator& declarator) {
  for (const bool plainly : {false, true}) {
    auto body = FieldWriter(type, type.bytes(), level, declarator, plainly, 0).write();
    if (!body) return std::move(body).error();
    if (*body) return **std::move(body);
  }
  return Error{ErrorCode::malformed_data, "its members do not fit in"};
}

}  // namespace cgo
