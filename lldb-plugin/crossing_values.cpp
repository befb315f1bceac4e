// What there is to see at a crossing: arguments, results, errno, who called.
#include <fmt/format.h>

#include <span>

#include "lldb-plugin/crossing_visit.h"
#include "lldb-plugin/frame_registers.h"
#include "stops/errno_place.h"

namespace cgo {
namespace {

constexpr ReadLimits kLimits{.depth = 1, .elements = 8, .text_bytes = 80};
/// Frames between cgo's stub and the Go function that called are fewer.
constexpr std::size_t kFramesToCaller = 16;

}  // namespace

const ProgramContext& CrossingBreakpoint::Visit::context() {
  if (!context_)
    context_ = std::make_unique<const ProgramContext>(
        ProgramContext::Parts{.memory = &memory_,
                              .images = stop_->program->images.get(),
                              .runtimes = &stop_->program->runtimes,
                              .dwarf = stop_->program->dwarf,
                              .describer = stop_->addresses.get()},
        runtime_);
  return *context_;
}

const Result<CrossingShape>& CrossingBreakpoint::Visit::shape() {
  // A return from asmcgocall has a place of its own; the shape is kept with that of the entry.
  Place* place = &place_;
  for (auto& [id, other] : self_.places_)
    if (&other.crossing == crossing_) place = &other;
  if (!place->shape || place->of_shape != stop_->program) {
    place->shape = shape_of_call(*stop_->program->images, stop_->program->dwarf, *crossing_);
    place->of_shape = stop_->program;
  }
  return *place->shape;
}

CrossingValue CrossingBreakpoint::Visit::show(const CrossingPart& part, Datum datum) {
  CrossingValue out{.name = part.name, .go_type = part.go_type};
  out.value = read_value(context(), part.name, std::move(datum), kLimits);
  if (kind_of(part.type) == TypeKind::pointer && !out.value.points_to && !request_.log &&
      stop_->addresses) {
    const auto target = load_unsigned(memory_, out.value.datum);
    if (target && *target != 0) out.points_to = stop_->addresses->describe({*target}).text;
  }
  return out;
}

void CrossingBreakpoint::Visit::read_arguments() {
  if (to_c())
    read_arguments_of_call();
  else if (!moment_.returns)
    read_arguments_of_callback();
}

void CrossingBreakpoint::Visit::read_arguments_of_call() {
  const auto& known = shape();
  if (!known) {
    moment_.no_arguments = known.error().message;
    return;
  }
  std::optional<Address> block;
  if (!moment_.returns)
    if (const auto rdi = register_of(frame_, "rdi")) block = Address{*rdi};
  for (const CrossingPart& part : known->arguments) {
    Datum datum{.type = part.type};
    const std::uint64_t bytes = plain(part.type)->bytes();
    if (block) {
      datum.address = wrapping_add(*block, part.offset);
    } else if (entered_ && part.offset + bytes <= entered_->block.size()) {
      const auto begin = entered_->block.begin() + static_cast<std::ptrdiff_t>(part.offset);
      datum.bytes = std::vector(begin, begin + static_cast<std::ptrdiff_t>(bytes));
    } else {
      moment_.no_arguments = "what was there at the entry could not be read";
      return;
    }
    scope_.set_argument(part.name, datum);
    scope_.set_argument(part.cgo_name, datum);
    moment_.arguments.push_back(show(part, std::move(datum)));
  }
}

std::optional<Datum> CrossingBreakpoint::Visit::passed(const Type& type, const PassedValue& where,
                                                       bool result) {
  Datum datum{.type = &type};
  if (where.stack_offset) {
    datum.address = wrapping_add({frame_.GetSP()}, *where.stack_offset);
    return datum;
  }
  constexpr const char* kArguments[] = {"rdi", "rsi", "rdx", "rcx", "r8", "r9"};
  constexpr const char* kResults[] = {"rax", "rdx"};
  std::vector<std::byte> bytes;
  for (const PassedValue::Part& part : where.parts) {
    const bool sse = part.place == PassedValue::Place::sse_register;
    const auto value =
        sse ? low_half_of(frame_, fmt::format("xmm{}", part.index).c_str())
            : register_of(frame_, result ? kResults[part.index] : kArguments[part.index]);
    if (!value) return std::nullopt;
    const auto words = std::as_bytes(std::span(&*value, 1));
    bytes.insert(bytes.end(), words.begin(), words.end());
  }
  bytes.resize(plain(&type)->bytes());
  datum.bytes = std::move(bytes);
  return datum;
}

/// By the rules of calls, not by debug information: that says where they are behind the prologue,
/// which has not run yet.
void CrossingBreakpoint::Visit::read_arguments_of_callback() {
  const auto parts =
      parameters_of_export(*stop_->program->images, stop_->program->dwarf, *crossing_);
  if (!parts) {
    moment_.no_arguments = parts.error().message;
    return;
  }
  std::vector<const Type*> types;
  for (const CrossingPart& part : *parts) types.push_back(part.type);
  constexpr std::uint64_t kMostInRegisters = 16;
  const auto result = result_of_export(*stop_->program->images, stop_->program->dwarf, *crossing_);
  if (!result) {
    moment_.no_arguments = result.error().message;
    return;
  }
  const auto places = passed_arguments(types, result->bytes > kMostInRegisters);
  for (std::size_t i = 0; i < parts->size(); ++i) {
    const auto datum = places[i] ? passed(*types[i], *places[i], false) : std::nullopt;
    if (!datum) {
      moment_.no_arguments = "how " + (*parts)[i].name + " is passed is not known";
      return;
    }
    scope_.set_argument((*parts)[i].name, *datum);
    moment_.arguments.push_back(show((*parts)[i], *datum));
  }
}

std::optional<Address> CrossingBreakpoint::Visit::block_now() const {
  if (!entered_ || !entered_->block_at) return std::nullopt;
  if (entered_->below_stack == 0) return entered_->block_at;
  if (!machine_ || !machine_->goroutine) return std::nullopt;
  return Address{machine_->goroutine->stack.end.value - entered_->below_stack};
}

void CrossingBreakpoint::Visit::read_result() {
  if (to_c()) {
    const auto& known = shape();
    const auto block = block_now();
    if (!known || !known->result || !block) return;
    const Datum datum = datum_at(known->result->type, wrapping_add(*block, known->result->offset));
    scope_.set("result", datum);
    moment_.result = show(*known->result, datum);
    moment_.failed = looks_failed(memory_, datum);
    if (moment_.errno_after || moment_.errno_returned)
      moment_.verdict = errno_verdict({.form = crossing_->form,
                                       .before = moment_.errno_before,
                                       .after = moment_.errno_after,
                                       .returned = moment_.errno_returned,
                                       .failed = moment_.failed},
                                      crossing_->function);
    return;
  }
  const auto result = result_of_export(*stop_->program->images, stop_->program->dwarf, *crossing_);
  if (!result || result->count != 1) return;
  const auto where = passed_result(*result->type);
  auto found = where ? passed(*result->type, *where, true) : std::nullopt;
  if (!found) return;
  Datum datum = *std::move(found);
  scope_.set("result", datum);
  moment_.result = show({.name = "result", .type = result->type}, std::move(datum));
}

std::optional<Address> CrossingBreakpoint::Visit::thread_local_at(
    std::optional<Result<std::int64_t>>& offset, OffsetFinder* find) {
  if (!offset) offset = find(memory_, *stop_->program->images);
  if (!*offset) return std::nullopt;
  const auto thread_pointer = register_of(frame_, "fs_base");
  if (!thread_pointer) return std::nullopt;
  return Address{*thread_pointer + static_cast<std::uint64_t>(**offset)};
}

std::optional<int> CrossingBreakpoint::Visit::errno_of_thread() {
  const auto at = thread_local_at(self_.errno_offset_, errno_offset);
  if (!at) return std::nullopt;
  const auto value = read_unsigned<std::int32_t>(memory_, *at);
  if (!value) return std::nullopt;
  return *value;
}

std::optional<CLocale> CrossingBreakpoint::Visit::locale_of_thread() {
  const auto at = thread_local_at(self_.locale_offset_, locale_offset);
  if (!at) return std::nullopt;
  auto locale = read_c_locale(memory_, *at);
  return locale ? std::optional(*std::move(locale)) : std::nullopt;
}

std::optional<SignalSet> CrossingBreakpoint::Visit::blocked_signals() const {
  const auto signals = stop_->debuggee->signals(moment_.tid);
  return signals ? signals->blocked : std::nullopt;
}

void CrossingBreakpoint::Visit::read_errno() {
  if (!to_c()) return;
  if (entered_) moment_.errno_before = entered_->errno_value;
  moment_.errno_after = errno_of_thread();
  if (crossing_->form != CrossingPoint::Form::c2func) return;
  if (const auto rax = register_of(frame_, "rax"))
    moment_.errno_returned = static_cast<int>(static_cast<std::uint32_t>(*rax));
}

void CrossingBreakpoint::Visit::read_changes() {
  if (!entered_) return;
  const auto blocked = blocked_signals();
  if (blocked && entered_->blocked && *blocked != *entered_->blocked)
    moment_.changes.push_back(fmt::format("the thread's blocked signals changed: {} before, {} now",
                                          format_signals(*entered_->blocked),
                                          format_signals(*blocked)));
  const auto locale = locale_of_thread();
  if (locale && entered_->locale)
    for (std::string& change : locale_changes(*entered_->locale, *locale))
      moment_.changes.push_back(std::move(change));
  // The low six bits are flags that arithmetic sets; the others say how it is done.
  constexpr std::uint64_t kControl = ~std::uint64_t{0x3f};
  if (const auto mxcsr = register_of(frame_, "mxcsr");
      mxcsr && entered_->mxcsr && (*mxcsr & kControl) != (*entered_->mxcsr & kControl))
    moment_.changes.push_back(
        fmt::format("the floating-point control register changed: mxcsr {:#x} before, {:#x} now",
                    *entered_->mxcsr, *mxcsr));
  if (const auto fctrl = register_of(frame_, "fctrl");
      fctrl && entered_->fctrl && *fctrl != *entered_->fctrl)
    moment_.changes.push_back(fmt::format("the x87 control word changed: {:#x} before, {:#x} now",
                                          *entered_->fctrl, *fctrl));
}

void CrossingBreakpoint::Visit::find_caller() {
  if (stack_) return;
  const WalkLimit limit =
      request_.stack ? WalkLimit{} : WalkLimit{.innermost = kFramesToCaller, .outermost = 0};
  stack_ = collect_stack(*stop_, owner_of(thread_), limit);
  for (const StackElement& element : stack_->stack.elements) {
    const auto* frame = std::get_if<cgo::Frame>(&element);
    if (frame == nullptr || frame->plumbing || frame->function.empty()) continue;
    const bool of_caller =
        to_c() ? frame->language == Language::go : frame->function != crossing_->function;
    // What cmd/cgo wrote: _Cfunc_X, and C.CString and its like.
    if (!of_caller || frame->file.ends_with("_cgo_gotypes.go")) continue;
    moment_.caller = fmt::format("{} at {}:{}", frame->function, frame->file, frame->line);
    break;
  }
}

}  // namespace cgo
