#include "stops/exception_search.h"

#include <algorithm>

#include "stops/cxx_types.h"
#include "stops/landing_pad.h"
#include "stops/lsda.h"
#include "stops/stack_places.h"
#include "target/dwarf.h"
#include "unwind/c_frames.h"

namespace cgo {
namespace {

using Kind = ExceptionFate::Kind;

/// The routines of gcc's languages that read the tables: C++'s, and C's, which only cleans up.
constexpr const char* kDecidesForCxx = "__gxx_personality_v0";
constexpr const char* kCleansUp = "__gcc_personality_v0";
constexpr std::size_t kMostText = 4096;
/// Source: libstdc++, unwind-cxx.h: "GNUCC++\0", and with 1 at the end for one that shares the
/// object of another.
constexpr std::uint64_t kGnuCxx = 0x474e5543432b2b00, kGnuCxxDependent = 0x474e5543432b2b01;
/// Before the _Unwind_Exception that ends __cxa_exception: its type, and for a dependent exception
/// the object that it stands for.
constexpr std::uint64_t kTypeBefore = 80, kPrimaryBefore = 80;
/// The _Unwind_Exception is padded to 32 bytes; the object follows. The type of the primary's is as
/// far before its object.
constexpr std::uint64_t kHeaderBytes = 32;

std::string class_text(std::uint64_t exception_class) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) {
    const char c = static_cast<char>(exception_class >> shift & 0xff);
    if (c >= ' ' && c <= '~') out += c;
  }
  return out;
}

/// The text of an object whose class keeps it where it can be read: those of <stdexcept>, and plain
/// texts.
std::optional<std::string> what_of(const MemoryReader& memory, const CxxTypes& types,
                                   const CxxTypeInfo& type, Address object) {
  const auto text_at = [&](Address at) -> std::optional<std::string> {
    const auto text = read_pointer(memory, at);
    if (!text) return std::nullopt;
    auto read = read_c_string(memory, *text, kMostText);
    return read ? std::optional(*std::move(read)) : std::nullopt;
  };
  if (type.mangled == "PKc" || type.mangled == "Pc") return text_at(object);
  if (type.mangled == "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE") {
    const auto text = read_pointer(memory, object);
    const auto bytes = read_unsigned<std::uint64_t>(memory, wrapping_add(object, 8));
    if (!text || !bytes) return std::nullopt;
    const auto read = read_bytes(memory, *text, std::min<std::uint64_t>(*bytes, kMostText));
    if (!read) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(read->data()), read->size());
  }
  // std::runtime_error and std::logic_error: a table pointer, then a __cow_string.
  for (const char* base : {"St13runtime_error", "St11logic_error"})
    if (const auto offset = types.offset_of_base(type.at, base))
      return text_at(wrapping_add(object, static_cast<std::uint64_t>(*offset + 8)));
  return std::nullopt;
}

std::string type_text(const CxxTypes& types, Address type) {
  const auto known = types.read(type);
  return known ? known->name() : "the type at " + hex(type);
}

/// Whether a handler takes the exception; nothing where that cannot be told.
std::optional<bool> takes(const CxxTypes& types, const LsdaAction::Handler& handler,
                          const ThrownException& exception) {
  if (handler.specification) {
    if (!exception.is_cxx || !exception.type) return std::nullopt;
    for (const Address allowed : handler.allowed) {
      const auto same = types.catches(allowed, exception.type);
      if (!same) return std::nullopt;
      if (*same) return false;
    }
    return true;
  }
  if (handler.all) return true;
  if (!exception.is_cxx) return false;  // A foreign one is taken by catch (...) alone.
  if (!exception.type) return std::nullopt;
  return types.catches(handler.type, exception.type);
}

/// What one frame does, when the search does not go on.
std::optional<ExceptionFate> end_at(const CxxTypes& types, const LsdaAction& action,
                                    const ThrownException& exception) {
  using Action = LsdaAction::Kind;
  if (action.kind == Action::forbids) return ExceptionFate{.kind = Kind::forbidden};
  if (action.kind != Action::catches) return std::nullopt;
  for (const LsdaAction::Handler& handler : action.handlers) {
    const auto taken = takes(types, handler, exception);
    if (!taken)
      return ExceptionFate{
          .kind = Kind::unknown,
          .why = handler.specification
                     ? "whether an exception specification allows it cannot be told"
                     : "whether catch (" + type_text(types, handler.type) +
                           ") takes it cannot be told"};
    if (!*taken) continue;
    if (handler.specification) return ExceptionFate{.kind = Kind::forbidden};
    return ExceptionFate{.kind = Kind::caught,
                         .handler = handler.all ? "..." : type_text(types, handler.type),
                         .landing_pad = action.landing_pad};
  }
  return std::nullopt;
}

void locate_handler(const ImageMap& images, const DwarfSource& dwarf, ExceptionFate& fate) {
  const Image* image = images.find(fate.landing_pad);
  if (!fate.landing_pad || image == nullptr || !dwarf) return;
  const auto info = dwarf(*image);
  if (!info) return;
  const auto frames = (*info)->frames_at(image->to_file(fate.landing_pad));
  if (!frames || frames->empty()) return;
  fate.file = frames->front().file;
  fate.line = frames->front().line;
}

/// The C library is written in C: the routine that it has of its own is C's, without a name.
bool is_in_libc(const ImageMap& images, Address function) {
  const Image* image = images.find(function);
  return image != nullptr && is_libc(image->name());
}

bool is_named(const ImageMap& images, Address function, std::string_view name) {
  const ElfSymbol* symbol = images.symbol_at(function);
  return symbol != nullptr && symbol->name == name;
}

}  // namespace

Result<ThrownException> read_exception(const MemoryReader& memory, const ImageMap& images,
                                       Address header) {
  const auto exception_class = read_unsigned<std::uint64_t>(memory, header);
  if (!exception_class) return exception_class.error();
  ThrownException out;
  out.is_cxx = *exception_class == kGnuCxx || *exception_class == kGnuCxxDependent;
  out.runtime = out.is_cxx ? "C++" : class_text(*exception_class);
  if (!out.is_cxx) return out;
  out.object = wrapping_add(header, kHeaderBytes);
  if (*exception_class == kGnuCxxDependent) {
    const auto primary = read_pointer(memory, {header.value - kPrimaryBefore});
    if (!primary) return primary.error();
    out.object = *primary;
  }
  const auto type = read_pointer(memory, {out.object.value - kHeaderBytes - kTypeBefore});
  if (!type) return type.error();
  out.type = *type;
  const CxxTypes types(memory, images);
  const auto known = types.read(*type);
  if (!known) return known.error();
  out.type_name = known->name();
  out.what = what_of(memory, types, *known, out.object);
  return out;
}

namespace {

/// What the tables say of one frame of C or C++.
struct FrameRule {
  enum class Kind : std::uint8_t {
    passes,   ///< The search goes on behind it.
    acts,     ///< `action` says what it does.
    no_rule,  ///< No table covers it: unwinding ends there.
    unknown,  ///< Cannot be told: `why`.
  };
  Kind kind = Kind::unknown;
  LsdaAction action;
  std::string why;
  bool ends_unhandled = false;  ///< What none of its handlers takes ends the process there.
  std::string untold;           ///< What cannot be told where no handler takes it.
};

/// Corrects what the table says by the code: gcc makes a cleanup, and clang a catch (...), of the
/// end of a noexcept function.
void correct_by_code(LandingPads& pads, FrameRule& rule) {
  using Action = LsdaAction::Kind;
  LsdaAction& action = rule.action;
  const bool catches = action.kind == Action::catches;
  const bool all = catches && action.handlers.back().all && !action.handlers.back().specification;
  if (action.kind != Action::cleans_up && !(catches && (all || action.cleans_up_too))) return;
  const PadFlow flow = pads.flow_of(action.landing_pad);
  if (!flow.terminates && (!all || flow.whole)) return;
  // Each handler of the program's begins by itself.
  const bool handled = flow.catches.size() >= action.handlers.size();
  if (all && handled) return;
  if (!flow.whole || (flow.terminates && flow.resumes)) {
    rule.untold = "whether the code at " + hex(action.landing_pad) +
                  " goes on, or is the end of a noexcept function";
  } else if (!catches) {
    action = {.kind = Action::forbids};
  } else {
    rule.ends_unhandled = true;
    if (all) action.handlers.pop_back();
  }
}

FrameRule rule_of(const MemoryReader& memory, const ImageMap& images, const CFrames& frames,
                  LandingPads& pads, const PhysicalFrame& frame) {
  using Rule = FrameRule::Kind;
  const auto rule = frames.exception_rule(memory, images, frame.registers, frame.pc);
  if (!rule)
    return {.kind = rule.error().code == ErrorCode::not_found ? Rule::no_rule : Rule::unknown,
            .action = {},
            .why = rule.error().message};
  if (!rule->personality || !rule->data || is_named(images, rule->personality, kCleansUp) ||
      is_in_libc(images, rule->personality))
    return {.kind = Rule::passes, .action = {}, .why = {}};
  if (!is_named(images, rule->personality, kDecidesForCxx))
    return {.kind = Rule::unknown,
            .action = {},
            .why = "what the code at " + hex(frame.pc.address) +
                   " does with exceptions is decided by a routine that is not known"};
  auto action = exception_action(memory, rule->data, rule->function.begin, frame.pc.for_lookup());
  if (!action) return {.kind = Rule::unknown, .action = {}, .why = action.error().message};
  FrameRule out{.kind = Rule::acts, .action = *std::move(action), .why = {}};
  correct_by_code(pads, out);
  return out;
}

constexpr const char* kMissing = "frames are missing in the stack";
constexpr const char* kUnknownEnd = "the stack is not known further outward";

std::size_t outermost(const Walk& walk) {
  return walk.elements.empty() ? 0 : walk.elements.size() - 1;
}

}  // namespace

ExceptionFate exception_fate(const MemoryReader& memory, const ImageMap& images,
                             const DwarfSource& dwarf, const Walk& walk,
                             const ThrownException& exception) {
  const CxxTypes types(memory, images);
  const CFrames frames;
  LandingPads pads(memory, images);
  for (std::size_t i = 1; i < walk.elements.size(); ++i) {
    const auto* frame = std::get_if<PhysicalFrame>(&walk.elements[i]);
    if (frame == nullptr) return {.kind = Kind::unknown, .physical = i, .why = kMissing};
    if (frame->go) return {.kind = Kind::boundary, .physical = i};
    const FrameRule rule = rule_of(memory, images, frames, pads, *frame);
    if (rule.kind == FrameRule::Kind::passes) continue;
    if (rule.kind != FrameRule::Kind::acts)
      return {.kind = rule.kind == FrameRule::Kind::no_rule ? Kind::no_rule : Kind::unknown,
              .physical = i,
              .why = rule.why};
    if (auto fate = end_at(types, rule.action, exception)) {
      locate_handler(images, dwarf, *fate);
      fate->physical = i;
      return *std::move(fate);
    }
    if (rule.ends_unhandled) return {.kind = Kind::forbidden, .physical = i};
    if (!rule.untold.empty()) return {.kind = Kind::unknown, .physical = i, .why = rule.untold};
  }
  const bool whole = walk.complete();
  return {.kind = whole ? Kind::no_rule : Kind::unknown,
          .physical = outermost(walk),
          .why = whole ? "the stack ends there" : kUnknownEnd};
}

ForcedFate forced_fate(const MemoryReader& memory, const ImageMap& images, const Walk& walk) {
  using End = ForcedFate::Kind;
  const CFrames frames;
  const CxxTypes types(memory, images);
  LandingPads pads(memory, images);
  ForcedFate out;
  const auto ends = [&](End kind, std::size_t physical, std::string why) {
    out.kind = kind;
    out.physical = physical;
    out.why = std::move(why);
    return out;
  };
  for (std::size_t i = 1; i < walk.elements.size(); ++i) {
    const auto* frame = std::get_if<PhysicalFrame>(&walk.elements[i]);
    if (frame == nullptr) return ends(End::unknown, i, kMissing);
    out.comes_to_go = frame->go.has_value();
    if (out.comes_to_go) return ends(End::through, i, {});
    const FrameRule rule = rule_of(memory, images, frames, pads, *frame);
    if (rule.kind == FrameRule::Kind::passes) continue;
    if (rule.kind == FrameRule::Kind::no_rule) return ends(End::through, i, rule.why);
    if (rule.kind == FrameRule::Kind::unknown) return ends(End::unknown, i, rule.why);
    if (rule.action.kind == LsdaAction::Kind::forbids) return ends(End::forbidden, i, {});
    if (!rule.untold.empty()) return ends(End::unknown, i, rule.untold);
    if (rule.action.kind != LsdaAction::Kind::catches) continue;
    // Source: libstdc++ eh_personality.cc: an empty exception specification forbids it too, one
    // with types does not; catch (...) and catch (abi::__forced_unwind&) are entered.
    for (const LsdaAction::Handler& handler : rule.action.handlers) {
      if (handler.specification && handler.allowed.empty()) return ends(End::forbidden, i, {});
      if (handler.specification) continue;
      const auto type = handler.all ? Result<CxxTypeInfo>(Error{}) : types.read(handler.type);
      if (handler.all || (type && type->mangled == "N10__cxxabiv115__forced_unwindE"))
        out.must_throw_on.push_back(i);
    }
    if (rule.ends_unhandled && (out.must_throw_on.empty() || out.must_throw_on.back() != i))
      return ends(End::forbidden, i, {});
  }
  return ends(walk.complete() ? End::through : End::unknown, outermost(walk),
              walk.complete() ? "" : kUnknownEnd);
}

}  // namespace cgo
