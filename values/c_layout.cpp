#include "values/c_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "values/c_fields.h"

namespace cgo {
namespace {

constexpr std::size_t kMostDefinitions = 400;
constexpr int kDeepestDeclarator = 32;

bool is_record(TypeKind kind) {
  return kind == TypeKind::structure || kind == TypeKind::class_type ||
         kind == TypeKind::union_type;
}

std::string_view integer_of(std::uint64_t bytes, bool is_signed) {
  switch (bytes) {
    case 1:
      return is_signed ? "signed char" : "unsigned char";
    case 2:
      return is_signed ? "short" : "unsigned short";
    case 4:
      return is_signed ? "int" : "unsigned int";
    case 8:
      return is_signed ? "long" : "unsigned long";
    case 16:
      return is_signed ? "__int128" : "unsigned __int128";
    default:
      return {};
  }
}

/// The name of a type of C for a type that needs no definition; empty for what has none.
std::string_view basic_name(const Type& type, TypeKind kind) {
  const std::uint64_t bytes = type.bytes();
  switch (kind) {
    case TypeKind::boolean:
      return bytes == 1 ? "bool" : integer_of(bytes, false);
    case TypeKind::character:
      if (bytes == 1 && !type.is_go()) return "char";
      return integer_of(bytes, type.is_signed());
    case TypeKind::signed_integer:
      return integer_of(bytes, true);
    case TypeKind::unsigned_integer:
      return integer_of(bytes, false);
    case TypeKind::floating:
      return bytes == 4 ? "float" : bytes == 8 ? "double" : bytes == 16 ? "long double" : "";
    case TypeKind::complex:
      return bytes == 8 ? "_Complex float" : bytes == 16 ? "_Complex double" : "";
    default:
      return {};
  }
}

std::string joined(std::string_view type, std::string_view declarator) {
  std::string out(type);
  if (!declarator.empty()) out.append(" ").append(declarator);
  return out;
}

/// Writes declarations, and finds out on the way which types need a definition.
class Writer final : public CDeclarator {
 public:
  Writer(const ValueContext& context, unsigned depth, const CNames& names)
      : context_(context), depth_(depth), names_(names) {}

  Result<CLayout> write(const Type& root) {
    CLayout out;
    constexpr std::string_view kMark = "\x01";
    std::string declarator = "*" + std::string(kMark);
    if (kind_of(&root) == TypeKind::array) declarator = "(" + declarator + ")";
    const std::string around = declare(&root, std::move(declarator), 0);
    const std::size_t mark = around.find(kMark);
    out.before = around.substr(0, mark);
    out.after = around.substr(mark + kMark.size());
    while (Wanted* next = nearest_wanted()) {
      next->done = true;
      define(*next);
      if (failure_) return *std::move(failure_);
    }
    for (const Type* type : order_)
      if (auto placed = place(type, out.definitions, 0); !placed) return std::move(placed).error();
    out.simplified = simplified_;
    return out;
  }

  std::string declare(const Type* type, std::string declarator, unsigned level) override {
    return declare_at(type, std::move(declarator), level, 0);
  }

  std::string enumerator(std::string_view name) override {
    std::string out = c_identifier(name);
    return enumerators_.insert(out).second ? out : std::string();
  }

 private:
  struct Wanted {
    const Type* type = nullptr;
    unsigned level = 0;
    bool done = false;
    CDefinition definition;
    std::set<const Type*> contains;
  };

  static std::string bytes_of(const Type* type, const std::string& declarator) {
    const std::string inner = declarator.starts_with('*') ? "(" + declarator + ")" : declarator;
    return fmt::format("unsigned char {}[{}]", inner, type->bytes());
  }

  std::string declare_at(const Type* type, std::string declarator, unsigned level, int nested) {
    const std::string alias(type->name());
    type = plain(type);
    const TypeKind kind = kind_of(type);
    if (nested > kDeepestDeclarator) return bytes_of(type, declarator);
    if (const std::string_view name = basic_name(*type, kind); !name.empty())
      return joined(name, declarator);
    switch (kind) {
      case TypeKind::pointer:
      case TypeKind::reference:
        return declare_pointer(*type, std::move(declarator), level, nested);
      case TypeKind::array:
        return declare_array(*type, std::move(declarator), level, nested);
      case TypeKind::function:
        return "void " + declarator + "(void)";
      case TypeKind::go_function:
        return "void (**" + declarator + ")(void)";
      case TypeKind::go_map:
      case TypeKind::go_channel:
        return "void *" + declarator;
      case TypeKind::structure:
      case TypeKind::class_type:
      case TypeKind::union_type:
      case TypeKind::enumeration:
      case TypeKind::go_string:
      case TypeKind::go_slice:
      case TypeKind::go_interface:
        return joined(use(type, level, alias), declarator);
      default:
        return bytes_of(type, declarator);
    }
  }

  std::string declare_pointer(const Type& type, std::string declarator, unsigned level,
                              int nested) {
    const auto target = type.target();
    const Type* to = target ? plain(*target) : nullptr;
    const TypeKind kind = to == nullptr ? TypeKind::none : kind_of(to);
    const bool whole = kind == TypeKind::function || (to != nullptr && to->bytes() != 0);
    if (!whole || kind == TypeKind::none) return "void *" + declarator;
    if (reaches_record(to) && (level >= depth_ || wanted_.size() >= kMostDefinitions)) {
      simplified_ = true;
      return "void *" + declarator;
    }
    declarator.insert(0, "*");
    if (kind == TypeKind::array || kind == TypeKind::function) declarator = "(" + declarator + ")";
    return declare_at(to, std::move(declarator), level + 1, nested + 1);
  }

  /// Whether a definition is needed behind pointers and arrays.
  static bool reaches_record(const Type* type) {
    for (int step = 0; step < kDeepestDeclarator; ++step) {
      const TypeKind kind = kind_of(type);
      if (is_record(kind) || kind == TypeKind::go_slice) return true;
      if (kind != TypeKind::pointer && kind != TypeKind::array) return false;
      const auto target = plain(type)->target();
      if (!target) return false;
      type = *target;
    }
    return true;
  }

  std::string declare_array(const Type& type, std::string declarator, unsigned level, int nested) {
    const auto target = type.target();
    const auto length = type.length();
    if (!target || !length || plain(*target)->bytes() == 0) return bytes_of(&type, declarator);
    declarator += fmt::format("[{}]", *length);
    return declare_at(*target, std::move(declarator), level, nested + 1);
  }

  /// The name of a type that needs a definition, and that it is needed.
  std::string use(const Type* type, unsigned level, const std::string& alias) {
    auto [at, added] = wanted_.try_emplace(type);
    Wanted& wanted = at->second;
    if (added) {
      wanted.type = type;
      wanted.level = level;
      wanted.definition.name = new_name(*type, alias);
      order_.push_back(type);
    }
    if (!wanted.done) wanted.level = std::min(wanted.level, level);
    if (current_ != nullptr) {
      auto& uses = current_->definition.uses;
      if (std::find(uses.begin(), uses.end(), wanted.definition.name) == uses.end())
        uses.push_back(wanted.definition.name);
      // A slice of its own kind points at it; what lies on the same level is inside.
      if (level == current_->level) current_->contains.insert(type);
    }
    return wanted.definition.name;
  }

  std::string new_name(const Type& type, const std::string& alias) {
    // C often names a structure by its typedef alone.
    const bool nameless = type.name().empty() && !type.is_go() && !alias.empty();
    const std::string base = "$" + c_identifier(nameless ? alias : name_for(type));
    std::string name = base;
    for (int number = 2; !taken_.insert(name).second; ++number)
      name = fmt::format("{}_{}", base, number);
    const auto other = names_.find(name);
    return other == names_.end() ? name : other->second;
  }

  std::string name_for(const Type& type) const {
    switch (kind_of(&type)) {
      case TypeKind::go_string:
        return "string";
      case TypeKind::go_interface: {
        const auto empty = context_.is_empty_interface(type);
        return !empty ? "interface" : *empty ? "eface" : "iface";
      }
      case TypeKind::go_slice: {
        const auto element = type.target();
        return "slice_" + (element ? format_type(**element) : "");
      }
      default:
        return format_type(type);
    }
  }

  Wanted* nearest_wanted() {
    Wanted* best = nullptr;
    for (const Type* type : order_) {
      Wanted& one = wanted_.at(type);
      if (!one.done && (best == nullptr || one.level < best->level)) best = &one;
    }
    return best;
  }

  void define(Wanted& wanted) {
    current_ = &wanted;
    const Type& type = *wanted.type;
    CDefinition& out = wanted.definition;
    const std::string tag = "lldb_cgo_" + out.name.substr(1);
    const TypeKind kind = kind_of(&type);
    if (kind == TypeKind::enumeration) {
      out.text = enumeration(type, tag, out.name);
    } else {
      const std::string word = kind == TypeKind::union_type ? "union " : "struct ";
      out.forward = "typedef " + word + tag + " " + out.name + ";";
      auto body = body_of(type, kind, wanted.level);
      if (!body) {
        failure_ = std::move(body).error().in("the layout of " + format_type(type));
        return;
      }
      out.text = word + tag + " " + body->text + ";";
      for (const CFieldPlace& field : body->places)
        out.checks.push_back(
            fmt::format("__builtin_offsetof({}, {}) == {}", out.name, field.name, field.offset));
    }
    out.checks.push_back(fmt::format("sizeof({}) == {}", out.name, type.bytes()));
    current_ = nullptr;
  }

  Result<CBody> body_of(const Type& type, TypeKind kind, unsigned level) {
    switch (kind) {
      case TypeKind::go_string:
        return words({"const void *str", "long len"});
      case TypeKind::go_interface: {
        const auto empty = context_.is_empty_interface(type);
        return words({!empty ? "void *word" : *empty ? "void *type" : "void *tab", "void *data"});
      }
      case TypeKind::go_slice: {
        const auto element = type.target();
        if (!element) return std::move(element).error();
        std::string data = "void *data";
        const bool deep = reaches_record(*element) && level >= depth_;
        simplified_ = simplified_ || deep;
        if (!deep && plain(*element)->bytes() != 0)
          data = declare(*element, kind_of(*element) == TypeKind::array ? "(*data)" : "*data",
                         level + 1);
        return words({data, "long len", "long cap"});
      }
      default:
        return c_fields(type, level, *this);
    }
  }

  static CBody words(std::initializer_list<std::string> fields) {
    CBody out{.text = "{ "};
    for (const std::string& field : fields) out.text += field + "; ";
    out.text += "}";
    return out;
  }

  std::string enumeration(const Type& type, const std::string& tag, const std::string& name) {
    const auto target = type.target();
    const bool is_signed = target ? (*target)->is_signed() : type.is_signed();
    std::string_view integer = integer_of(type.bytes(), is_signed);
    std::string text = fmt::format("enum {} : {} {{ ", tag, integer);
    for (const Enumerator& one : type.enumerators()) {
      const std::string word = enumerator(one.name);
      if (!word.empty())
        text += fmt::format("{} = ({})0x{:x}ULL, ", word, integer,
                            static_cast<std::uint64_t>(one.value));
    }
    return fmt::format("{}}}; typedef enum {} {};", text, tag, name);
  }

  Result<void> place(const Type* type, std::vector<CDefinition>& out, int nested) {
    Wanted& wanted = wanted_.at(type);
    if (placed_.contains(type)) return {};
    if (nested > 64 || !placing_.insert(type).second)
      return Error{ErrorCode::malformed_data, format_type(*type) + " contains itself"};
    for (const Type* part : wanted.contains)
      if (auto done = place(part, out, nested + 1); !done) return done;
    placed_.insert(type);
    out.push_back(wanted.definition);
    return {};
  }

  const ValueContext& context_;
  const unsigned depth_;
  const CNames& names_;
  std::map<const Type*, Wanted> wanted_;
  std::vector<const Type*> order_;
  std::set<std::string> taken_, enumerators_;
  std::set<const Type*> placed_, placing_;
  Wanted* current_ = nullptr;
  std::optional<Error> failure_;
  bool simplified_ = false;
};

}  // namespace

Result<CLayout> c_layout_of(const ValueContext& context, const Type& type, unsigned depth,
                            const CNames& names) {
  if (plain(&type)->bytes() == 0)
    return Error{ErrorCode::unsupported, "the type " + format_type(type) + " has no size"};
  return Writer(context, depth, names).write(type);
}

}  // namespace cgo
