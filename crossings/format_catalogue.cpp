#include "crossings/format_catalogue.h"

#include <fmt/format.h>

#include "unwind/format.h"

namespace cgo {
namespace {

using Form = CrossingPoint::Form;
using KnownBy = CrossingPoint::KnownBy;
using Place = CFunction::Place;

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

const char* known_by_word(KnownBy known_by) {
  switch (known_by) {
    case KnownBy::symbols:
      return "symbols";
    case KnownBy::dwarf:
      return "dwarf";
    case KnownBy::code:
      return "code";
  }
  return "?";
}

const char* place_word(Place place) {
  switch (place) {
    case Place::found:
      return "found";
    case Place::by_name:
      return "by_name";
    case Place::library:
      return "library";
    case Place::inlined:
      return "inlined";
    case Place::unknown:
      return "unknown";
  }
  return "?";
}

std::string c_place_text(const CrossingPoint& one) {
  const CFunction& c = one.c;
  const std::string source =
      c.file.empty() ? "" : fmt::format(" at {}:{}", escaped(file_name(c.file)), c.line);
  switch (c.place) {
    case Place::found:
      return fmt::format("{} in {}{}", hex(c.entry), escaped(c.image), source);
    case Place::by_name:
      return fmt::format("{} in {}{} (by its name)", hex(c.entry), escaped(c.image), source);
    case Place::library:
      return "in a library that is known when the program runs";
    case Place::inlined:
      return "a macro, or inlined into cgo's stub";
    case Place::unknown:
      return one.direction == CrossingPoint::Direction::c_to_go
                 ? std::string("its stub for C has no symbol")
             : one.stub
                 ? fmt::format("cgo's stub at {}; nothing names what it calls", hex(one.stub))
                 : "its stub is not known";
  }
  return {};
}

std::string text_of(const CrossingPoint& one) {
  const bool to_c = one.direction == CrossingPoint::Direction::go_to_c;
  const std::string name = one.function.empty() ? one.go_name : one.function;
  std::string out =
      fmt::format("{} {}  {}", to_c ? "Go → C" : "C → Go", escaped(name), form_text(one.form));
  if (one.no_callback) out += one.no_escape ? ", nocallback, noescape" : ", nocallback";
  out += fmt::format("  [{}, {}]", escaped(one.package.empty() ? "?" : one.package),
                     escaped(one.image));
  if (one.known_by == KnownBy::code && to_c && one.form != Form::cgocall)
    out += "  (known by Go code alone: no symbols)";
  if (one.known_by == KnownBy::dwarf) out += "  (known by debug information: no symbols)";
  out += '\n';
  if (one.form != Form::cgocall) out += "    C:  " + c_place_text(one) + '\n';
  for (const CrossingCallSite& site : one.call_sites)
    out += fmt::format("    Go: {}:{}  {}{}\n", escaped(file_name(site.file)), site.line,
                       escaped(site.function),
                       site.via.empty() ? "" : fmt::format("  (C.{})", escaped(site.via)));
  if (one.call_sites.empty())
    out += to_c ? "    Go: no direct call found\n"
                : "    Go: the function behind it left no code of its own\n";
  return out;
}

std::string text_or_null(std::string_view text) {
  return text.empty() ? "null" : json_string(text);
}

std::string address_or_null(Address address) {
  return address ? fmt::format("\"{}\"", hex(address)) : "null";
}

std::string json_of(const CrossingPoint& one) {
  std::string sites;
  for (const CrossingCallSite& site : one.call_sites)
    sites += fmt::format(R"({}{{"file":{},"line":{},"function":{},"pc":"{}","via":{}}})",
                         sites.empty() ? "" : ",", json_string(site.file), site.line,
                         json_string(site.function), hex(site.call), text_or_null(site.via));
  const std::string c =
      fmt::format(R"({{"place":"{}","address":{},"module":{},"file":{},"line":{}}})",
                  place_word(one.c.place), address_or_null(one.c.entry), text_or_null(one.c.image),
                  text_or_null(one.c.file), one.c.line == 0 ? "null" : std::to_string(one.c.line));
  return fmt::format(
      R"({{"function":{},"go_name":{},"direction":"{}","form":"{}","call_sites":[{}],"package":{},)"
      R"("unit":{},"module":{},"known_by":"{}","entry":"{}","word":{},"stub":{},"c_function":{},)"
      R"("nocallback":{},"noescape":{}}})",
      text_or_null(one.function), json_string(one.go_name),
      one.direction == CrossingPoint::Direction::go_to_c ? "go_to_c" : "c_to_go",
      form_word(one.form), sites, text_or_null(one.package), text_or_null(one.build_id),
      json_string(one.image), known_by_word(one.known_by), hex(one.entry),
      address_or_null(one.word), address_or_null(one.stub), c, one.no_callback, one.no_escape);
}

}  // namespace

const char* form_word(Form form) {
  switch (form) {
    case Form::cfunc:
      return "Cfunc";
    case Form::c2func:
      return "C2func";
    case Form::exported:
      return "export";
    case Form::cgocall:
      return "cgocall";
  }
  return "?";
}

const char* form_text(Form form) {
  switch (form) {
    case Form::cfunc:
      return "errno dropped";
    case Form::c2func:
      return "errno returned";
    case Form::exported:
      return "exported";
    case Form::cgocall:
      return "calls runtime.cgocall itself";
  }
  return "?";
}

std::string format_crossings(std::span<const CrossingPoint> crossings) {
  std::string out;
  for (const CrossingPoint& one : crossings) out += text_of(one);
  return out;
}

std::string crossings_json(std::span<const CrossingPoint> crossings) {
  std::string out = "[";
  for (const CrossingPoint& one : crossings) out += (out.size() == 1 ? "" : ",") + json_of(one);
  return out + "]";
}

}  // namespace cgo
