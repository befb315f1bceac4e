// What str() gives of an exception. Source: Objects/exceptions.c of CPython 3.9 to 3.13:
// BaseException_str, KeyError_str, OSError_str, SyntaxError_str, ImportError_str.
#include "stops/python_message.h"

#include <fmt/format.h>

#include <vector>

#include "stops/python_error.h"

namespace cgo {
namespace {

using Text = std::optional<std::string>;

constexpr std::size_t kMost = PythonException::kMostMessage;
/// PyBaseExceptionObject.args, in all releases.
constexpr std::uint64_t kArgs = 24;
constexpr unsigned kMostBases = 100;

enum class Writer : std::uint8_t { unknown, base, key, os, syntax, import };

/// Whose tp_str a type has: one that Python code gave it is none of these.
Writer writer_of(const PythonObjects& objects, const PythonRuntime& python,
                 const PythonType& type) {
  struct Known {
    Address pointer;
    Writer writer;
  };
  // Types that have that of BaseException come first: they must not be taken for one of the others.
  for (const Known& known :
       {Known{python.base_exception, Writer::base}, Known{python.key_error, Writer::key},
        Known{python.os_error, Writer::os}, Known{python.syntax_error, Writer::syntax},
        Known{python.import_error, Writer::import}}) {
    if (!known.pointer) continue;
    const auto at = objects.word(known.pointer, 0);
    const auto read = at && *at ? objects.type(*at) : Result<PythonType>(Error{});
    if (read && read->str && read->str == type.str) return known.writer;
  }
  return Writer::unknown;
}

Text plain_text(const PythonObjects& objects, Address object) {
  if (!object) return std::nullopt;
  const auto text = objects.text(object, kMost);
  if (!text) return std::nullopt;
  return text->utf8 + (text->cut ? "…" : "");
}

/// repr() of a text. Source: Objects/unicodeobject.c, unicode_repr.
std::string quoted(const std::string& text) {
  const bool single = text.find('\'') == text.npos || text.find('"') != text.npos;
  const char quote = single ? '\'' : '"';
  std::string out(1, quote);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\')
      out += std::string("\\") + c;
    else if (c == '\n' || c == '\r' || c == '\t')
      out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    else if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out + quote;
}

Text text_or_number(const PythonObjects& objects, Address object, bool repr) {
  if (Text text = plain_text(objects, object)) return repr ? quoted(*text) : text;
  if (!object) return std::nullopt;
  const auto number = objects.number(object);
  if (!number) return std::nullopt;
  return fmt::format("{}", *number);
}

/// What the arguments give where there is at most one.
Text of_arguments(const PythonObjects& objects, const PythonObjects::Items& items, bool repr) {
  if (items.first.empty()) return std::string();
  if (items.first.size() > 1) return std::nullopt;
  return text_or_number(objects, items.first[0], repr);
}

/// The fields that a derived exception has of its own, by number; nothing where they cannot be
/// read.
class OwnFields {
 public:
  OwnFields(const PythonObjects& objects, const PythonRuntime& python, Address exception,
            unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      const auto field =
          objects.word(exception, python.layout.own_fields + i * sizeof(std::uint64_t));
      if (!field) return;
      fields_.push_back(*field);
    }
    whole_ = true;
  }
  bool whole() const { return whole_; }
  Address operator[](std::size_t i) const { return fields_[i]; }

 private:
  std::vector<Address> fields_;
  bool whole_ = false;
};

Text os_text(const PythonObjects& objects, const OwnFields& fields, Text of_args) {
  const Address number = fields[0], text = fields[1], first = fields[2], second = fields[3];
  if (!first && !(number && text)) return of_args;
  const auto none_or = [&](Address object) {
    return object ? text_or_number(objects, object, false) : std::string("None");
  };
  const Text errno_text = none_or(number), strerror = none_or(text);
  if (!errno_text || !strerror) return std::nullopt;
  std::string out = fmt::format("[Errno {}] {}", *errno_text, *strerror);
  if (!first) return out;
  const Text name = text_or_number(objects, first, true);
  if (!name) return std::nullopt;
  out += ": " + *name;
  if (!second) return out;
  const Text other = text_or_number(objects, second, true);
  if (!other) return std::nullopt;
  return out + " -> " + *other;
}

Text syntax_text(const PythonObjects& objects, Address text, Address filename, Address number) {
  const Text message = plain_text(objects, text);
  if (!message) return std::nullopt;
  const Text path = plain_text(objects, filename);
  std::string where;
  if (path) where = path->substr(path->rfind('/') + 1);
  if (number)
    if (const auto line = objects.number(number))
      where += fmt::format("{}line {}", where.empty() ? "" : ", ", *line);
  return where.empty() ? message : Text(fmt::format("{} ({})", *message, where));
}

/// Of the arguments of a SyntaxError that has not been made: (text, (file, line, …)).
Text syntax_text_of(const PythonObjects& objects, const PythonObjects::Items& items) {
  if (items.first.size() != 2 || items.more) return std::nullopt;
  const auto place = objects.items(items.first[1]);
  if (!place || place->first.size() < 2) return std::nullopt;
  return syntax_text(objects, items.first[0], place->first[0], place->first[1]);
}

/// Whether making it runs no code but CPython's: what is derived in Python may change arguments.
bool is_made_plainly(const PythonObjects& objects, const PythonType& type) {
  PythonType at = type;
  for (unsigned i = 0; at.on_heap() && i < kMostBases; ++i) {
    if (!at.base) return false;
    auto base = objects.type(at.base);
    if (!base) return false;
    at = *std::move(base);
  }
  return !at.on_heap() && at.init == type.init && at.make == type.make;
}

/// Of one that has not been made: the value is its only argument, or a tuple of them, or absent.
Text text_of_value(const PythonObjects& objects, Writer writer, const PythonType& type,
                   Address value) {
  if (!is_made_plainly(objects, type)) return std::nullopt;
  if (!value) return std::string();
  const bool repr = writer == Writer::key;
  if (Text text = text_or_number(objects, value, repr)) return text;
  const auto items = objects.items(value);
  if (!items || items->more) return std::nullopt;
  if (writer == Writer::syntax) return syntax_text_of(objects, *items);
  // Several arguments make another type of an OSError.
  if (writer != Writer::base && writer != Writer::key) return std::nullopt;
  return of_arguments(objects, *items, repr);
}

}  // namespace

std::optional<std::string> python_message(const PythonObjects& objects, const PythonRuntime& python,
                                          const PythonType& type, Address value, bool made) {
  const Writer writer = writer_of(objects, python, type);
  if (writer == Writer::unknown) return std::nullopt;
  if (!made) return text_of_value(objects, writer, type, value);
  const auto args = objects.word(value, kArgs);
  const auto items = args ? objects.items(*args) : Result<PythonObjects::Items>(Error{});
  if (!items || items->more) return std::nullopt;
  const Text of_args = of_arguments(objects, *items, writer == Writer::key);
  if (writer == Writer::base || writer == Writer::key) return of_args;
  const unsigned count = writer == Writer::os ? 4 : writer == Writer::syntax ? 3 : 1;
  const OwnFields fields(objects, python, value, count);
  if (!fields.whole()) return std::nullopt;
  if (writer == Writer::os) return os_text(objects, fields, of_args);
  if (writer == Writer::syntax) return syntax_text(objects, fields[0], fields[1], fields[2]);
  const Text message = plain_text(objects, fields[0]);
  return message ? message : of_args;
}

}  // namespace cgo
