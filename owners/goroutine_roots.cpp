#include "owners/goroutine_roots.h"

#include <algorithm>
#include <variant>

namespace cgo {
namespace {

constexpr std::size_t kMostFrames = 50'000'000;
constexpr std::uint64_t kMostDefers = 10'000'000;
/// More words of arguments than a call can have.
constexpr std::uint64_t kMostArgumentBytes = 1u << 24;
/// Of abi.RegArgs, on amd64. Source: src/internal/abi/abi.go, 1.19 to 1.27.
constexpr std::uint64_t kRegArgsBytes = 272;
constexpr unsigned kGeneralRegisters = 16;

bool ends_stack(const GoFunction& function) {
  return function.id == FuncId::goexit || function.id == FuncId::mstart ||
         function.id == FuncId::rt0_go;
}

bool is_reflect_stub(const GoFunction& function) {
  return function.name == "reflect.makeFuncStub" || function.name == "reflect.methodValueCall";
}

}  // namespace

GoroutineRoots::GoroutineRoots(const GoMemory& go, std::function<void(Error)> problem)
    : go_(go),
      problem_(std::move(problem)),
      memory_(go.memory()),
      masks_(go.memory(), go.runtime.version()) {}

std::optional<std::uint64_t> GoroutineRoots::word(Address at) {
  std::uint64_t value = 0;
  auto done = memory_.read(at, std::as_writable_bytes(std::span(&value, 1)));
  if (done) return value;
  problem_(std::move(done).error().in("stack"));
  return std::nullopt;
}

const GoroutineRoots::Code& GoroutineRoots::code_at(Address pc, bool wants_map) {
  const auto [at, fresh] = code_.try_emplace(pc);
  Code& code = at->second;
  if (fresh) {
    code.function = go_.runtime.function_at(pc);
    code.reflect_call = code.function && is_reflect_stub(*code.function);
    if (code.function)
      if (const auto bytes = code.function->module->frame_bytes(*code.function, pc))
        code.frame_bytes = *bytes;
  }
  // Most places are seen by many goroutines, few of them without wanting their map.
  if (wants_map && code.function && code.frame_bytes && !code.map &&
      code.map.error().message.empty())
    code.map = stack_map_at(*code.function, pc, *code.frame_bytes > 8);
  return code;
}

Address GoroutineRoots::rodata_of(const GoModule& module) {
  const auto [at, fresh] = rodata_.try_emplace(&module);
  if (fresh)
    at->second = read_pointer(go_.memory(),
                              wrapping_add(module.tables().moduledata, go_.layout.rodata.bytes))
                     .value_or(Address{});
  return at->second;
}

void GoroutineRoots::visit(const Goroutine& g, const RootVisitor& visitor) {
  if (!g.alive()) return;
  Scan scan{.g = g, .visit = visitor, .objects = StackObjects(g.stack)};
  scan_kept(scan);
  if (const auto start = start_of(g))
    walk(scan, *start);
  else
    guess_all(scan, g.stack.begin);
  scan_defers(scan);
  scan.objects.follow(
      {.read_word = [this](Address at) { return word(at); }, .masks = masks_, .problem = problem_},
      g.id, visitor);
}

std::optional<GoroutineRoots::Start> GoroutineRoots::start_of(const Goroutine& g) {
  if (g.syscall.sp) return Start{g.syscall.pc, g.syscall.sp, false, std::nullopt};
  if (g.status == GStatus::running) return start_of_running(g);
  return Start{g.sched.pc, g.sched.sp, false, std::nullopt};
}

/// The innermost frame on the goroutine's own stack, of the stack of the thread that runs it.
std::optional<GoroutineRoots::Start> GoroutineRoots::start_of_running(const Goroutine& g) {
  const auto m = g.m ? go_.runtime.machine(go_.memory(), g.m)
                     : Result<Machine>(Error{ErrorCode::not_found, "no thread runs it"});
  if (!m) {
    problem_(Error(m.error()).in("goroutine " + std::to_string(g.id)));
    return std::nullopt;
  }
  const auto walked = go_.unwinder.thread(m->procid);
  for (const auto& element : walked.walk.elements) {
    const auto* frame = std::get_if<PhysicalFrame>(&element);
    if (frame == nullptr || !frame->go || !g.stack.contains(frame->registers.sp())) continue;
    const bool interrupted = frame->pc.origin == CodeAddress::Origin::program_counter;
    return Start{frame->pc.address, frame->registers.sp(), interrupted,
                 interrupted ? std::optional(frame->registers) : std::nullopt};
  }
  problem_({ErrorCode::not_found, "goroutine " + std::to_string(g.id) +
                                      ": where it runs on its stack could not be told"});
  return std::nullopt;
}

void GoroutineRoots::found(Scan& scan, Address at, std::uint64_t value, const Frame& frame,
                           bool guess) {
  if (value == 0) return;
  if (scan.objects.on_stack(value)) return scan.objects.point_at(value, guess);
  scan.visit({.kind = guess ? RootKind::guess : RootKind::stack,
              .at = at,
              .value = value,
              .goroutine = scan.g.id,
              .pc = frame.pc,
              .cfa = frame.cfa});
}

void GoroutineRoots::walk(Scan& scan, const Start& start) {
  Frame frame{.code = nullptr, .pc = start.pc, .sp = start.sp, .guess = start.interrupted};
  if (start.registers) {
    for (unsigned i = 0; i < kGeneralRegisters; ++i)
      if (const auto value = start.registers->get(i)) found(scan, {}, *value, frame, true);
  }
  FuncId inner = FuncId::normal;
  for (std::size_t frames = 0; frames < kMostFrames; ++frames) {
    if (!scan.g.stack.contains(frame.sp)) break;
    frame.code = &code_at(frame.pc, !frame.guess);
    if (frame.code->function && ends_stack(*frame.code->function)) return;
    if (!frame.code->frame_bytes) break;
    const GoFunction& function = *frame.code->function;
    const auto cfa = checked_add(frame.sp, *frame.code->frame_bytes + 8ull);
    if (!cfa || *cfa > scan.g.stack.end) break;
    frame.cfa = *cfa;
    frame.locals_end = {cfa->value - 8};
    if (frame.locals_end > frame.sp) frame.locals_end.value -= 8;
    const bool preempted =
        function.id == FuncId::async_preempt || function.id == FuncId::debug_call_v2;
    const auto caller = word({cfa->value - 8});
    if (inner == FuncId::sigpanic && !frame.guess) {
      // It goes on at its deferred functions, if at all.
      if (function.recovery) {
        Frame recovering = frame;
        recovering.code = &code_at(function.recovery, true);
        scan_frame(scan, recovering);
      }
    } else {
      frame.guess = frame.guess || preempted;
      scan_frame(scan, frame);
    }
    inner = function.id;
    if (!caller) break;
    if (*caller == 0) return;
    // What was interrupted lies outside of the frame that has its registers.
    frame = {.code = nullptr, .pc = {*caller}, .sp = *cfa, .guess = preempted};
  }
  problem_({ErrorCode::malformed_data,
            "goroutine " + std::to_string(scan.g.id) + ": its stack could not be followed from " +
                hex(frame.sp) + " on",
            frame.sp});
  guess_all(scan, frame.sp);
}

void GoroutineRoots::scan_frame(Scan& scan, const Frame& frame) {
  if (!frame.guess && frame.code->map) return scan_by_map(scan, frame, *frame.code->map);
  guess_range(scan, {frame.sp, frame.locals_end}, frame);
  const std::uint64_t arguments =
      std::min<std::uint64_t>(frame.code->function->argument_bytes.value_or(0), kMostArgumentBytes);
  guess_range(scan, {frame.cfa, wrapping_add(frame.cfa, arguments)}, frame);
}

void GoroutineRoots::scan_by_map(Scan& scan, const Frame& frame, const StackMap& map) {
  const auto words = [&](Address first, const std::vector<bool>& bits) {
    for (std::size_t i = 0; i < bits.size(); ++i) {
      const Address at = wrapping_add(first, i * 8);
      if (!bits[i] || !scan.g.stack.contains(at)) continue;
      if (const auto value = word(at)) found(scan, at, *value, frame, false);
    }
  };
  words(wrapping_add(frame.locals_end, -8 * static_cast<std::uint64_t>(map.locals.size())),
        map.locals);
  words(frame.cfa, map.arguments);
  if (frame.code->reflect_call) return scan_reflect_call(scan, frame);
  if (map.objects.empty()) return;
  const Address rodata = rodata_of(*frame.code->function->module);
  for (const StackObject& object : map.objects) {
    const Address base = object.offset < 0 ? frame.locals_end : frame.cfa;
    const Address at = wrapping_add(base, static_cast<std::uint64_t>(std::int64_t{object.offset}));
    if (at < frame.sp) continue;
    scan.objects.add({.at = at,
                      .bytes = object.bytes,
                      .pointer_bytes = object.pointer_bytes,
                      .is_program = object.is_program,
                      .mask = wrapping_add(rodata, object.mask_offset),
                      .pc = frame.pc,
                      .cfa = frame.cfa});
  }
}

/// Its arguments are those of the function that reflection made; the method value, which it keeps
/// at the end of its frame, has their map. Source: src/runtime/stkframe.go, argMapInternal (1.19:
/// traceback.go, getArgInfo); src/reflect/makefunc.go, type makeFuncCtxt.
void GoroutineRoots::scan_reflect_call(Scan& scan, const Frame& frame) {
  constexpr std::uint64_t kResultsValid = 32;
  if (frame.sp.value + 8 >= frame.cfa.value) return;
  scan.objects.add({.at = wrapping_add(frame.locals_end, -kRegArgsBytes),
                    .bytes = kRegArgsBytes,
                    .pointer_bytes = kRegArgsBytes,
                    .mask = {},
                    .pc = frame.pc,
                    .cfa = frame.cfa});
  const auto value = word(frame.sp);
  const auto valid = word(wrapping_add(frame.sp, kResultsValid));
  if (!value || !valid) return;
  const auto bits = read_pointer(go_.memory(), wrapping_add({*value}, 8));
  const auto bytes = read_unsigned<std::uint64_t>(go_.memory(), wrapping_add({*value}, 16));
  if (!bits || !bytes) return;
  const auto count = read_unsigned<std::uint32_t>(go_.memory(), *bits);
  const auto data = read_pointer(go_.memory(), wrapping_add(*bits, 8));
  if (!count || !data || *count * 8ull > kMostArgumentBytes) return;
  const std::uint64_t used =
      (*valid & 0xff) != 0 ? *count : std::min<std::uint64_t>(*count, *bytes / 8);
  for (std::uint64_t i = 0; i < used; ++i) {
    const auto byte = read_unsigned<std::uint8_t>(go_.memory(), wrapping_add(*data, i / 8));
    if (!byte) return;
    const Address at = wrapping_add(frame.cfa, i * 8);
    if ((*byte >> i % 8 & 1) == 0 || !scan.g.stack.contains(at)) continue;
    if (const auto argument = word(at)) found(scan, at, *argument, frame, false);
  }
}

/// Its closure, which is a register while it runs, and registers that were saved elsewhere.
void GoroutineRoots::scan_kept(Scan& scan) {
  const Address context = wrapping_add(scan.g.address, go_.layout.g_context.bytes);
  const Frame none;
  if (const auto value = word(context)) found(scan, context, *value, none, false);
  if (!go_.layout.g_vector_registers) return;
  std::uint8_t preempted = 0;
  auto done = memory_.read(wrapping_add(scan.g.address, go_.layout.g_async_safe_point.bytes),
                           std::as_writable_bytes(std::span(&preempted, 1)));
  if (!done || preempted == 0) return;
  const auto state = word(wrapping_add(scan.g.address, go_.layout.g_vector_registers->bytes));
  if (!state || *state == 0) return;
  for (std::uint64_t at = 0; at + 8 <= go_.layout.vector_register_bytes; at += 8)
    if (const auto value = word({*state + at})) found(scan, {*state + at}, *value, none, true);
}

void GoroutineRoots::scan_defers(Scan& scan) {
  const Frame none;
  const Address panic = wrapping_add(scan.g.address, go_.layout.g_panic.bytes);
  if (const auto value = word(panic); value && scan.objects.on_stack(*value))
    scan.objects.point_at(*value, false);
  Address at = wrapping_add(scan.g.address, go_.layout.g_defer.bytes);
  auto next = word(at);
  while (next && *next != 0) {
    if (++defers_ > kMostDefers)
      return problem_({ErrorCode::limit_reached, "too many deferred calls", at});
    const Address record{*next};
    std::uint8_t in_heap = 0;
    auto done = memory_.read(wrapping_add(record, go_.layout.defer_heap.bytes),
                             std::as_writable_bytes(std::span(&in_heap, 1)));
    if (!done) return problem_(std::move(done).error().in("deferred call"));
    if (in_heap != 0) found(scan, at, record.value, none, false);
    const Address function = wrapping_add(record, go_.layout.defer_function.bytes);
    if (const auto value = word(function)) found(scan, function, *value, none, false);
    at = wrapping_add(record, go_.layout.defer_link.bytes);
    next = word(at);
  }
}

void GoroutineRoots::guess_range(Scan& scan, AddressRange range, const Frame& frame) {
  range.begin.value = (range.begin.value + 7) & ~std::uint64_t{7};
  for (Address at = range.begin; at < range.end && scan.g.stack.contains(at); at.value += 8)
    if (const auto value = word(at))
      found(scan, at, *value, frame, true);
    else
      at.value |= 4088;  // On with the next page.
}

void GoroutineRoots::guess_all(Scan& scan, Address from) {
  guess_range(scan, {from, scan.g.stack.end}, {});
}

}  // namespace cgo
