#include "stops/fault_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "stops/fault_words.h"
#include "stops/recursion_report.h"
#include "stops/stack_overflow.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr std::size_t kMostNames = 6;

/// The innermost line of a physical frame; null where it has none.
const Frame* frame_of(const Stack& stack, std::size_t physical) {
  for (const StackElement& element : stack.elements)
    if (const auto* frame = std::get_if<Frame>(&element); frame && frame->physical == physical)
      return frame;
  return nullptr;
}

std::optional<std::size_t> number_of(const Stack& stack, const Frame* wanted) {
  std::size_t number = 0;
  for (const StackElement& element : stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame == wanted && frame != nullptr) return number;
    number += frame != nullptr;
  }
  return std::nullopt;
}

std::string place_of(const Frame& frame) {
  std::string out = frame.function.empty() ? hex(frame.pc.address) : escaped(frame.function);
  if (!frame.file.empty() && frame.line != 0)
    return out + fmt::format(" at {}:{}", escaped(frame.file.substr(frame.file.rfind('/') + 1)),
                             frame.line);
  return frame.module.empty() ? out : out + " in " + escaped(frame.module);
}

std::string owner_of(const CStack& stack, std::uint64_t tid) {
  switch (stack.kind) {
    case CStack::Kind::thread:
      return fmt::format("the stack of thread {}", tid);
    case CStack::Kind::main:
      return "the main thread's stack";
    case CStack::Kind::alternate:
      return "the alternate stack for handlers of signals";
    case CStack::Kind::mapping:
      return "the stack it runs on, which is not known to be a thread's";
  }
  return "the stack";
}

/// One fault with all that is known of it.
struct Explained {
  const Fault& fault;
  const Frame* frame = nullptr;
  const Frame* handler = nullptr;
  bool handler_is_go = false;
  std::optional<StackUse> use;
  std::string what;  ///< At the address.
  std::optional<RecursionReport> recursion;
  std::optional<LargeFrame> large;

  bool overflow() const { return use && use->overflow.value_or(false); }
};

/// The lowest address that code may access by its stack pointer.
Address lowest_of(const Fault& fault) {
  constexpr std::uint64_t kRedZone = 128;
  return {fault.sp.value - std::min(fault.sp.value, kRedZone + 8)};
}

/// What lies at the address, where the stack itself does not say it.
std::string what_is_at(const FaultEvidence& evidence, const Explained& one) {
  const Address address = *one.fault.address;
  if (one.use && one.use->stack.guard.contains(address))
    return "the guard below " + owner_of(one.use->stack, evidence.tid);
  std::string text = evidence.addresses.describe(address).text;
  if (one.overflow() && address < one.use->stack.range.begin && address >= lowest_of(one.fault))
    return "below " + owner_of(one.use->stack, evidence.tid) + " (" + text + ")";
  return text;
}

Explained explain(const FaultEvidence& evidence, const Fault& fault) {
  Explained one{.fault = fault};
  one.frame = frame_of(evidence.stack, fault.frame);
  if (fault.handler) {
    one.handler = frame_of(evidence.stack, *fault.handler);
    const auto* frame = std::get_if<PhysicalFrame>(&evidence.walk.elements[*fault.handler]);
    one.handler_is_go = frame != nullptr && frame->go.has_value();
  }
  one.use = stack_use(evidence.debuggee, evidence.tid, evidence.walk, fault);
  if (fault.address) one.what = what_is_at(evidence, one);
  if (one.overflow()) {
    one.recursion = recursion_in(evidence.walk, evidence.stack);
    one.large = large_frame_in(evidence.walk, one.use->stack.range);
  }
  return one;
}

const char* verb_of(Fault::Access access) {
  switch (access) {
    case Fault::Access::read:
      return "reads";
    case Fault::Access::write:
      return "writes";
    case Fault::Access::execute:
      return "was called, or jumped to:";
    case Fault::Access::unknown:
      return "accesses";
  }
  return "accesses";
}

std::string event_text(const Explained& one) {
  const Fault& fault = one.fault;
  std::string out = signal_name(fault.number);
  const std::string code = signal_code_name(fault.number, fault.code);
  if (!code.empty()) out += " (" + code + ")";
  out += ": ";
  if (fault.address && fault.access == Fault::Access::execute)
    return out + fmt::format("{} cannot be executed: {}", hex(*fault.address), escaped(one.what));
  out += one.frame == nullptr ? hex(fault.pc) : place_of(*one.frame);
  if (fault.address)
    return out +
           fmt::format(" {} {}: {}", verb_of(fault.access), hex(*fault.address), escaped(one.what));
  if (fault.protection)
    return out +
           "; a general protection fault: the address, which the kernel does not name, is "
           "none that the CPU has, or the instruction is not allowed";
  return out;
}

std::string bounds_of(const StackUse& use) {
  std::string out = fmt::format("{} to {}", hex(use.stack.range.begin), hex(use.stack.range.end));
  if (!use.stack.guard.empty())
    out += fmt::format(", {} bytes of guard below", with_separators(use.stack.guard.bytes()));
  return out;
}

/// How much of the stack is in use, as far as its size is known: the kernel maps the main thread's
/// as it grows, and of memory that no thread owns a part may be a stack.
std::string use_text(const StackUse& use, const FaultEvidence& evidence) {
  const std::string used = with_separators(use.used_bytes),
                    bytes = with_separators(use.stack.range.bytes()),
                    owner = owner_of(use.stack, evidence.tid);
  switch (use.stack.kind) {
    case CStack::Kind::main:
      break;
    case CStack::Kind::mapping:
      return fmt::format("its stack is a part of {} bytes of memory ({})", bytes, bounds_of(use));
    case CStack::Kind::thread:
    case CStack::Kind::alternate:
      return fmt::format("{} of {} bytes of {} are in use ({})", used, bytes, owner,
                         bounds_of(use));
  }
  std::string out = fmt::format("{} bytes of {} are mapped ({}", bytes, owner, bounds_of(use));
  if (const auto limit = evidence.debuggee.stack_limit())
    out += fmt::format(", limit {} bytes", with_separators(*limit));
  return out + ")" + (use.overflow.value_or(false) ? "" : fmt::format(", {} in use", used));
}

std::string overflow_text(const Explained& one, const FaultEvidence& evidence) {
  const StackUse& use = *one.use;
  const AddressRange range = use.stack.range;
  std::string out = "  C STACK OVERFLOW: " + use_text(use, evidence) + "\n";
  if (one.fault.sp < range.begin)
    out += fmt::format("  its frames reach {} bytes below it{}\n",
                       with_separators(range.begin.value - one.fault.sp.value),
                       use.past_guard ? ", beyond the guard" : "");
  return out;
}

std::string round_text(const RecursionReport& recursion) {
  std::string out;
  for (std::size_t i = 0; i < recursion.round.size() && i < kMostNames; ++i)
    out += (i == 0 ? ": " : ", ") + place_of(*recursion.round[i]);
  if (recursion.round.size() > kMostNames)
    out += fmt::format(" and {} more", recursion.round.size() - kMostNames);
  return out;
}

std::string recursion_text(const RecursionReport& recursion) {
  std::string out = fmt::format("  {}{} frames; ", recursion.at_least ? "at least " : "",
                                with_separators(recursion.frames));
  if (recursion.rounds > 0) {
    if (recursion.first == recursion.last)
      out += fmt::format("frame #{} repeats", recursion.first);
    else
      out += fmt::format("frames #{} to #{} repeat", recursion.first, recursion.last);
    return out +
           fmt::format(" {} times{}\n", with_separators(recursion.rounds), round_text(recursion));
  }
  for (std::size_t i = 0; i < recursion.shares.size(); ++i)
    out +=
        fmt::format("{}{} of {}", i == 0 ? "" : ", ", with_separators(recursion.shares[i].frames),
                    escaped(recursion.shares[i].function));
  return out + ", in no fixed order\n";
}

std::string stack_text(const Explained& one, const FaultEvidence& evidence) {
  if (!one.use) return {};
  if (one.overflow()) {
    std::string out = overflow_text(one, evidence);
    if (one.recursion) out += recursion_text(*one.recursion);
    const Frame* large = one.large ? frame_of(evidence.stack, one.large->element) : nullptr;
    if (large != nullptr)
      out += fmt::format("  the largest frame is #{}, {}: {} bytes\n",
                         number_of(evidence.stack, large).value_or(0), place_of(*large),
                         with_separators(one.large->bytes));
    return out;
  }
  const std::string out = "  " + use_text(*one.use, evidence);
  return out + (one.use->overflow ? ": no overflow\n"
                                  : "; whether it overflowed cannot be told: the kernel does not "
                                    "name the address\n");
}

std::string fault_text(const Explained& one, const FaultEvidence& evidence, bool first) {
  std::string out = (first ? "fault: " : "then, in the handler: ") + event_text(one) + "\n";
  out += stack_text(one, evidence);
  if (one.fault.repeats)
    out +=
        "  AGAIN: it was handled before, at the same instruction with the same registers, and will "
        "be raised again: a fault loop, unless its handler leaves by a jump\n"
        "  whose handler that is: cgo signals --call\n";
  if (one.handler != nullptr && !one.handler_is_go)
    out += fmt::format(
        "  the handler is {}, not Go's: where it returns and changes nothing, the same instruction "
        "faults again\n",
        place_of(*one.handler));
  return out;
}

std::string or_null(const char* text) {
  return text == nullptr ? "null" : fmt::format(R"("{}")", text);
}

std::string address_json(std::optional<Address> address) {
  return address ? fmt::format(R"("{}")", hex(*address)) : "null";
}

std::string stack_json(const StackUse& use) {
  const AddressRange guard = use.stack.guard;
  return fmt::format(
      R"({{"kind":"{}","begin":"{}","bytes":{},"guard_bytes":{},"used_bytes":{},"overflow":{}}})",
      name_of(use.stack.kind), hex(use.stack.range.begin), use.stack.range.bytes(),
      guard.empty() ? "null" : std::to_string(guard.bytes()),
      use.stack.kind == CStack::Kind::mapping ? "null" : std::to_string(use.used_bytes),
      !use.overflow   ? "null"
      : *use.overflow ? "true"
                      : "false");
}

std::string place_json(const Frame& frame) {
  return fmt::format(R"({{"function":{},"module":{},"file":{},"line":{}}})",
                     json_string(frame.function), json_string(frame.module),
                     frame.file.empty() ? "null" : json_string(frame.file),
                     frame.line == 0 ? "null" : std::to_string(frame.line));
}

std::string recursion_json(const RecursionReport& recursion) {
  std::string out =
      fmt::format(R"({{"frames":{},"at_least":{})", recursion.frames, recursion.at_least);
  if (recursion.rounds > 0) {
    out += fmt::format(R"(,"rounds":{},"first":{},"last":{},"round":[)", recursion.rounds,
                       recursion.first, recursion.last);
    for (std::size_t i = 0; i < recursion.round.size(); ++i)
      out += (i == 0 ? "" : ",") + place_json(*recursion.round[i]);
    out += ']';
  }
  out += R"(,"shares":[)";
  for (std::size_t i = 0; i < recursion.shares.size(); ++i)
    out += fmt::format(R"({}{{"function":{},"frames":{}}})", i == 0 ? "" : ",",
                       json_string(recursion.shares[i].function), recursion.shares[i].frames);
  return out + "]}";
}

std::string fault_json(const Explained& one, const FaultEvidence& evidence) {
  const Fault& fault = one.fault;
  const std::string code = signal_code_name(fault.number, fault.code);
  const auto frame = number_of(evidence.stack, one.frame);
  std::string out = fmt::format(
      R"("signal":"{}","code":{},"code_name":{},"address":{},"access":{},"what":{},"pc":"{}","sp":"{}","frame":{})",
      signal_name(fault.number), fault.code, code.empty() ? "null" : json_string(code),
      address_json(fault.address), or_null(name_of(fault.access)),
      fault.address ? json_string(one.what) : "null", hex(fault.pc), hex(fault.sp),
      frame ? std::to_string(*frame) : "null");
  if (one.handler != nullptr)
    out += fmt::format(R"(,"handler":{{"go":{},"place":{}}})", one.handler_is_go,
                       place_json(*one.handler));
  else
    out += R"(,"handler":null)";
  out += fmt::format(R"(,"repeats":{})", fault.repeats);
  out += R"(,"stack":)" + (one.use ? stack_json(*one.use) : "null");
  if (one.recursion) out += R"(,"recursion":)" + recursion_json(*one.recursion);
  const Frame* large = one.large ? frame_of(evidence.stack, one.large->element) : nullptr;
  if (large != nullptr)
    out += fmt::format(R"(,"largest_frame":{{"frame":{},"bytes":{}}})",
                       number_of(evidence.stack, large).value_or(0), one.large->bytes);
  return out;
}

}  // namespace

Stack::Remark describe_faults(const FaultEvidence& evidence, std::span<const Fault> faults) {
  Stack::Remark remark;
  std::string later;
  for (std::size_t i = 0; i < faults.size(); ++i) {
    const Explained one = explain(evidence, faults[i]);
    remark.text += fault_text(one, evidence, i == 0);
    const std::string json = fault_json(one, evidence);
    if (i == 0)
      remark.json = "{" + json;
    else
      later += (later.empty() ? "{" : ",{") + json + "}";
  }
  remark.json += R"(,"later":[)" + later + "]}";
  return remark;
}

}  // namespace cgo
