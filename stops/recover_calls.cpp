#include "stops/recover_calls.h"

#include <algorithm>

#include "crossings/call_target.h"
#include "crossings/machine_code.h"

namespace cgo {
namespace {

using Kind = RecoverCall::Kind;

constexpr std::uint64_t kLongestFunction = 1 << 20;
constexpr unsigned kMostWrappers = 8;

/// The functions at a pc that are no wrappers, innermost first.
Result<std::vector<GoSourceFrame>> own_functions(const GoFunction& function, Address pc) {
  auto frames = function.module->source_frames(function, pc);
  if (frames)
    std::erase_if(*frames, [](const GoSourceFrame& one) { return one.id == FuncId::wrapper; });
  return frames;
}

/// What wrappers call beside the function they are for.
bool is_of_runtime(const GoFunction& callee) {
  constexpr std::string_view kNames[] = {
      "runtime.panicwrap",    "runtime.duffcopy", "runtime.duffzero", "runtime.racefuncenter",
      "runtime.racefuncexit", "runtime.raceread", "runtime.asanread", "runtime.msanread",
      "runtime.panicmemAddr", "runtime.panicnil"};
  return std::ranges::find(kNames, callee.name) != std::end(kNames) ||
         callee.name.starts_with("runtime.morestack") ||
         callee.name.starts_with("runtime.gcWriteBarrier");
}

RecoverCall named(RecoverCall out, const GoFunction& function) {
  out.function = std::string(function.name);
  return out;
}

RecoverCall unknown(std::string why) { return {.kind = Kind::unknown, .why = std::move(why)}; }

}  // namespace

RecoverCall RecoverCalls::of(Address closure) {
  if (!closure) return {.kind = Kind::none, .function = "a nil function"};
  const auto entry = read_unsigned<std::uint64_t>(memory_, closure);
  if (!entry) return unknown("the deferred function cannot be read");
  const auto function = runtime_.function_at({*entry});
  if (!function || function->entry != Address{*entry})
    return unknown("what is deferred is no function of Go");
  Step step{*function, closure};
  for (unsigned wrappers = 0; wrappers < kMostWrappers; ++wrappers) {
    const Result<Code>& code = code_of(step.function);
    if (!code) return named(unknown(code.error().message), step.function);
    if (code->recovers)
      return {.kind = Kind::calls,
              .function = std::string(code->recovers->function),
              .file = std::string(code->recovers->file),
              .line = code->recovers->line};
    const bool ends = code->callees.empty() && code->indirect.empty();
    if (step.function.id != FuncId::wrapper || ends)
      return named({.kind = Kind::none}, step.function);
    auto next = next_of(step, *code);
    if (!next) return named(unknown(next.error().message), step.function);
    step = *std::move(next);
  }
  return named(unknown("too many wrappers"), step.function);
}

/// What a wrapper calls, where that is one function.
Result<RecoverCalls::Step> RecoverCalls::next_of(const Step& wrapper, const Code& code) const {
  const Error several{ErrorCode::not_found, "which function it calls is not known"};
  if (code.callees.size() + code.indirect.size() != 1) return several;
  if (!code.callees.empty()) return Step{code.callees.front(), std::nullopt};
  if (!wrapper.closure) return several;
  const auto target = call_target_amd64(memory_, code.bytes, wrapper.function.entry,
                                        code.indirect.front(), *wrapper.closure);
  const auto function = target ? runtime_.function_at(target->code) : std::nullopt;
  if (!function || function->entry != target->code) return several;
  return Step{*function, target->closure};
}

const Result<RecoverCalls::Code>& RecoverCalls::code_of(const GoFunction& function) {
  const auto found = known_.find(function.entry);
  if (found != known_.end()) return found->second;
  return known_.emplace(function.entry, read_code(function)).first->second;
}

Result<RecoverCalls::Code> RecoverCalls::read_code(const GoFunction& function) const {
  if (function.end <= function.entry ||
      function.end.value - function.entry.value > kLongestFunction)
    return Error{ErrorCode::malformed_data, "the length of its code is not known"};
  auto bytes = read_bytes(memory_, function.entry, function.end.value - function.entry.value);
  if (!bytes) return std::move(bytes).error().in("its code");
  Code out;
  const bool wraps = function.id == FuncId::wrapper;
  std::optional<Error> failure;
  const auto look_at = [&](const Instruction& one) {
    const bool leaves = one.kind == Instruction::Kind::jump &&
                        (one.target < function.entry || function.end <= one.target);
    if (!one.calls && !leaves) return true;
    const auto own = own_functions(function, one.at);
    if (!own) {
      failure = own.error();
      return false;
    }
    const bool direct = one.kind == Instruction::Kind::call || leaves;
    const auto callee = direct ? runtime_.function_at(one.target) : std::nullopt;
    // Of several functions inlined into one another none is the deferred one.
    if (callee && callee->name == "runtime.gorecover") {
      if (own->size() == 1 && !out.recovers) out.recovers = own->front();
    } else if (wraps && own->empty() && !direct) {
      out.indirect.push_back(one.at);
    } else if (wraps && own->empty() && callee && !is_of_runtime(*callee) &&
               std::ranges::none_of(out.callees, [&](const GoFunction& other) {
                 return other.entry == callee->entry;
               })) {
      out.callees.push_back(*callee);
    }
    return true;
  };
  const bool decoded = decode_amd64(*bytes, function.entry, look_at);
  if (failure) return *std::move(failure);
  if (!decoded) return Error{ErrorCode::malformed_data, "its code cannot be decoded"};
  if (wraps) out.bytes = *std::move(bytes);
  return out;
}

}  // namespace cgo
