#include "values/error_text.h"

#include <array>

#include "values/evaluate.h"
#include "values/quote.h"

namespace cgo {
namespace {

constexpr std::uint64_t kLongestText = 4096;
constexpr unsigned kLongestChain = 32, kMostSteps = 256;

/// How an error type makes its text: pieces are fields ("{Op}"), quoted fields ("{Num:q}"), or
/// verbatim. An interface field of type error stands for its own text, and is what is wrapped.
struct ErrorForm {
  std::string_view type;
  std::string_view form;
  std::string_view wrapped;  ///< The field with the next error; "" for none.
};

// Source: the Error methods of the types in each package, 1.19 to 1.27.
constexpr std::array kForms = {
    ErrorForm{"errors.errorString", "{s}", ""},
    ErrorForm{"fmt.wrapError", "{msg}", "err"},
    ErrorForm{"fmt.wrapErrors", "{msg}", ""},
    ErrorForm{"io/fs.PathError", "{Op} {Path}: {Err}", "Err"},
    ErrorForm{"os.SyscallError", "{Syscall}: {Err}", "Err"},
    ErrorForm{"os.LinkError", "{Op} {Old} {New}: {Err}", "Err"},
    ErrorForm{"os/exec.Error", "exec: {Name:q}: {Err}", "Err"},
    ErrorForm{"net/url.Error", "{Op} {URL:q}: {Err}", "Err"},
    ErrorForm{"strconv.NumError", "strconv.{Func}: parsing {Num:q}: {Err}", "Err"},
    ErrorForm{"runtime.errorString", "runtime error: {}", ""},
    ErrorForm{"runtime.plainError", "{}", ""},
    ErrorForm{"github.com/pkg/errors.fundamental", "{msg}", ""},
    ErrorForm{"github.com/pkg/errors.withMessage", "{msg}: {cause}", "cause"},
    ErrorForm{"github.com/pkg/errors.withStack", "{error}", "error"},
};

class ErrorReader {
 public:
  ErrorReader(const ValueContext& context, ErrorText& about) : context_(context), about_(about) {}

  std::optional<std::string> text_of(const Datum& interface, unsigned depth,
                                     std::vector<std::string>* chain) {
    if (depth > kLongestChain || ++steps_ > kMostSteps) {
      if (chain != nullptr) about_.chain_cut = true;
      return std::nullopt;
    }
    auto held = dynamic_value(context_, interface);
    if (!held && chain != nullptr) about_.lost = held.error();
    if (!held || !*held) return std::nullopt;
    Datum datum = **std::move(held);
    if (chain != nullptr) chain->push_back(format_type(*datum.type));
    if (kind_of(datum.type) == TypeKind::pointer) {
      auto target = pointee_of(memory(), datum);
      if (!target) return std::nullopt;
      datum = *std::move(target);
    }
    const std::string_view name = datum.type->name();
    if (name == "syscall.Errno") {
      auto number = load_unsigned(memory(), datum);
      if (!number) return std::nullopt;
      const std::string text = errno_text(*number);
      return text.empty() ? "errno " + std::to_string(*number) : text;
    }
    if (chain != nullptr) add_several(datum, depth, *chain);
    if (name == "errors.joinError") return joined(datum, depth);
    for (const ErrorForm& form : kForms)
      if (form.type == name) return filled(form, datum, depth, chain);
    return std::nullopt;
  }

 private:
  const MemoryReader& memory() const { return context_.memory(); }

  std::optional<std::string> field_text(const Datum& field, unsigned depth,
                                        std::vector<std::string>* chain) {
    if (kind_of(field.type) == TypeKind::go_interface) return text_of(field, depth + 1, chain);
    if (kind_of(field.type) != TypeKind::go_string) return std::nullopt;
    auto text = load_go_string(memory(), field, kLongestText);
    if (!text) return std::nullopt;
    if (text->text.size() < text->length) about_.text_cut = true;
    return std::move(text->text);
  }

  std::optional<std::string> filled(const ErrorForm& form, const Datum& datum, unsigned depth,
                                    std::vector<std::string>* chain) {
    // The chain goes on even where the outer text has the inner one in it already.
    bool chained = form.wrapped.empty(), known = true;
    std::string out;
    std::string_view rest = form.form;
    while (!rest.empty()) {
      const std::size_t open = rest.find('{');
      out += rest.substr(0, open);
      if (open == rest.npos) break;
      const std::size_t close = rest.find('}', open);
      std::string_view name = rest.substr(open + 1, close - open - 1);
      rest.remove_prefix(close + 1);
      const bool quote = name.ends_with(":q");
      if (quote) name.remove_suffix(2);
      auto field = name.empty() ? Result<Datum>(datum) : own_field_of(datum, name);
      const bool wraps = field && !name.empty() && name == form.wrapped;
      // What it wraps is told also where its text is not known any more.
      if (!known && !wraps) continue;
      const auto text = field ? field_text(*field, depth, wraps ? chain : nullptr) : std::nullopt;
      chained = chained || wraps;
      known = known && text;
      if (text) out += quote ? quoted(*text) : *text;
    }
    if (!chained && chain != nullptr)
      if (auto next = own_field_of(datum, form.wrapped)) (void)text_of(*next, depth + 1, chain);
    return known ? std::optional(std::move(out)) : std::nullopt;
  }

  /// The errors of those that wrap several: fmt.wrapErrors and errors.joinError; nothing for
  /// others.
  std::optional<std::vector<Datum>> several(const Datum& datum) {
    auto list = own_field_of(datum, "errs");
    auto slice = list ? load_slice(memory(), *list) : std::move(list).error();
    if (!slice || kind_of(slice->element) != TypeKind::go_interface) return std::nullopt;
    if (slice->length > kLongestChain) {
      about_.chain_cut = true;
      return std::nullopt;
    }
    std::vector<Datum> out;
    for (std::uint64_t i = 0; i < slice->length; ++i)
      out.push_back(
          datum_at(slice->element, wrapping_add(slice->data, i * slice->element->bytes())));
    return out;
  }

  /// One link for all that are wrapped side by side: "[A ← B, C]".
  void add_several(const Datum& datum, unsigned depth, std::vector<std::string>& chain) {
    const std::string_view name = datum.type->name();
    if (name != "errors.joinError" && name != "fmt.wrapErrors") return;
    const auto all = several(datum);
    if (!all) return;
    std::string link;
    for (const Datum& one : *all) {
      std::vector<std::string> own;
      (void)text_of(one, depth + 8, &own);
      link += link.empty() ? "[" : ", ";
      if (own.empty()) link += "?";
      for (std::size_t i = 0; i < own.size(); ++i) link += (i == 0 ? "" : " ← ") + own[i];
    }
    if (!link.empty()) chain.push_back(link + "]");
  }

  std::optional<std::string> joined(const Datum& datum, unsigned depth) {
    const auto all = several(datum);
    if (!all) return std::nullopt;
    std::string out;
    for (std::size_t i = 0; i < all->size(); ++i) {
      const auto text = text_of((*all)[i], depth + 8, nullptr);
      if (!text) return std::nullopt;
      out += (i == 0 ? "" : "\n") + *text;
    }
    return out;
  }

  const ValueContext& context_;
  ErrorText& about_;
  unsigned steps_ = 0;
};

}  // namespace

ErrorText error_text(const ValueContext& context, const Datum& error) {
  ErrorText out;
  out.text = ErrorReader(context, out).text_of(error, 0, &out.chain);
  return out;
}

}  // namespace cgo
