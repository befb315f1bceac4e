#include "goruntime/deferred_calls.h"

#include <bit>

#include "target/byte_view.h"

namespace cgo {
namespace {

/// FUNCDATA with the places of open-coded calls. Source: src/internal/abi/symtab.go.
constexpr std::uint32_t kOpenCodedDeferInfo = 4;
constexpr unsigned kMostOpenCoded = 8;
constexpr std::size_t kMostCalls = 100'000, kMostPanics = 1'000;

std::optional<std::uint32_t> take_varint(ByteView& data) {
  std::uint32_t out = 0;
  for (unsigned shift = 0; shift < 32 && !data.empty(); shift += 7) {
    const auto byte = std::to_integer<std::uint32_t>(data.front());
    data = data.subspan(1);
    out |= (byte & 0x7f) << shift;
    if (byte < 0x80) return out;
  }
  return std::nullopt;
}

/// One element of a goroutine's list.
struct Record {
  Address address, sp, pc, closure, link;
  bool started = false, open_coded = false;
  std::optional<Address> head;  ///< Of a range-over-func loop: where its own list begins.
};

class Collector {
 public:
  Collector(const MemoryReader& memory, const DeferLayout& layout,
            std::span<const DeferringFrame> frames, bool whole)
      : memory_(memory), layout_(layout), frames_(frames), whole_(whole) {}

  DeferredCalls collect(Address g) {
    if (auto done = run(g); !done) out_.error = std::move(done).error();
    return std::move(out_);
  }

 private:
  Result<void> run(Address g);
  Result<void> open_coded(std::size_t frame);
  Result<void> linked(std::size_t frame);
  Result<void> of_loop(const Record& loop, std::size_t frame);
  Result<void> go_to(Address record);
  Result<Record> read(Address at) const;
  Result<void> add(std::size_t frame, Address closure);

  const MemoryReader& memory_;
  const DeferLayout& layout_;
  const std::span<const DeferringFrame> frames_;
  const bool whole_;
  std::optional<Record> next_;
  std::size_t records_ = 0;
  DeferredCalls out_;
};

Result<Record> Collector::read(Address at) const {
  Record out{.address = at};
  const std::pair<FieldOffset, Address*> words[] = {{layout_.sp, &out.sp},
                                                    {layout_.pc, &out.pc},
                                                    {layout_.fn, &out.closure},
                                                    {layout_.link, &out.link}};
  for (const auto& [offset, to] : words) {
    auto value = read_unsigned<std::uint64_t>(memory_, wrapping_add(at, offset.bytes));
    if (!value) return std::move(value).error();
    *to = Address{*value};
  }
  const auto flag = [&](const OptionalField& field, bool& to) -> Result<void> {
    if (!field) return {};
    auto value = read_unsigned<std::uint8_t>(memory_, wrapping_add(at, field->bytes));
    if (!value) return std::move(value).error();
    if (*value > 1) return Error{ErrorCode::malformed_data, "a damaged deferred call", at};
    to = *value != 0;
    return {};
  };
  bool rangefunc = false;
  for (auto&& done : {flag(layout_.started, out.started), flag(layout_.open_coded, out.open_coded),
                      flag(layout_.rangefunc, rangefunc)})
    if (!done) return done.error();
  if (!rangefunc || !layout_.head) return out;
  auto head = read_unsigned<std::uint64_t>(memory_, wrapping_add(at, layout_.head->bytes));
  if (!head) return std::move(head).error();
  out.head = Address{*head};
  return out;
}

Result<void> Collector::add(std::size_t frame, Address closure) {
  if (out_.found.size() == kMostCalls)
    return Error{ErrorCode::limit_reached,
                 "there are more than " + std::to_string(kMostCalls) + " deferred calls"};
  out_.found.push_back({frame, closure});
  return {};
}

/// Makes `record` the next of the list, or one behind it: what an earlier panic began is over.
Result<void> Collector::go_to(Address record) {
  next_.reset();
  while (record) {
    if (++records_ > kMostCalls)
      return Error{ErrorCode::malformed_data, "the list of deferred calls has no end", record};
    auto read_one = read(record);
    if (!read_one) return std::move(read_one).error().in("the list of deferred calls");
    // The bits in the frame say what is left of open-coded calls.
    if (!read_one->started && !read_one->open_coded) {
      next_ = *read_one;
      return {};
    }
    record = read_one->link;
  }
  return {};
}

Result<void> Collector::open_coded(std::size_t frame) {
  const DeferringFrame& at = frames_[frame];
  ByteView data = at.function.module->funcdata(at.function, kOpenCodedDeferInfo);
  if (data.empty()) return {};
  // Source: src/runtime/stack.go, stkframe.varp: below the return address and the saved rbp.
  std::uint64_t top = at.cfa.value - 8;
  if (top > at.sp.value) top -= 8;
  const auto bits_offset = take_varint(data);
  const auto second = take_varint(data);
  const auto damaged = [&] {
    return Error{ErrorCode::malformed_data,
                 std::string(at.function.name) + " has damaged places of deferred calls"};
  };
  if (!bits_offset || !second) return damaged();
  auto bits = read_unsigned<std::uint8_t>(memory_, {top - *bits_offset});
  if (!bits) return std::move(bits).error().in("bits of deferred calls");
  // Up to 1.21 a place for each, the last one first; since 1.22 they lie behind one another.
  const bool in_a_row = !layout_.open_coded;
  const unsigned count = in_a_row ? kMostOpenCoded : *second;
  if (count > kMostOpenCoded) return damaged();
  for (unsigned i = count; i-- > 0;) {
    Address slot{top - *second + std::uint64_t{i} * 8};
    if (!in_a_row) {
      const auto offset = take_varint(data);
      if (!offset) return damaged();
      slot = {top - *offset};
    }
    if ((*bits >> i & 1) == 0) continue;
    auto closure = read_unsigned<std::uint64_t>(memory_, slot);
    if (!closure) return std::move(closure).error().in("a deferred call");
    if (auto done = add(frame, {*closure}); !done) return done;
  }
  return {};
}

/// The calls that the body of a range-over-func loop deferred: they belong to the function around.
Result<void> Collector::of_loop(const Record& loop, std::size_t frame) {
  auto first = read_unsigned<std::uint64_t>(memory_, *loop.head);
  if (!first) return std::move(first).error().in("deferred calls of a loop");
  for (Address at{*first}; at;) {
    if (++records_ > kMostCalls)
      return Error{ErrorCode::malformed_data, "the list of deferred calls has no end", at};
    auto one = read(at);
    if (!one) return std::move(one).error().in("deferred calls of a loop");
    if (auto done = add(frame, one->closure); !done) return done;
    at = one->link;
  }
  return {};
}

Result<void> Collector::linked(std::size_t frame) {
  while (next_ && next_->sp == frames_[frame].sp) {
    if (!frames_[frame].function.module->contains(next_->pc))
      return Error{ErrorCode::malformed_data, "a damaged deferred call", next_->address};
    auto done = next_->head ? of_loop(*next_, frame) : add(frame, next_->closure);
    if (!done) return done;
    if (auto went = go_to(next_->link); !went) return went;
  }
  return {};
}

Result<void> Collector::run(Address g) {
  auto first = read_unsigned<std::uint64_t>(memory_, wrapping_add(g, layout_.g_defer.bytes));
  if (!first) return std::move(first).error().in("g._defer");
  if (auto done = go_to({*first}); !done) return done;
  const auto unplaced = [&] {
    return Error{ErrorCode::malformed_data, "a deferred call belongs to no frame of the stack",
                 next_->address};
  };
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    if (next_ && next_->sp < frames_[i].sp) return unplaced();
    if (frames_[i].function.module->tables().gofunc_bytes.empty())
      return Error{ErrorCode::unreadable_memory, "the tables of Go's functions cannot be read"};
    if (auto done = open_coded(i); !done) return done;
    if (auto done = linked(i); !done) return done;
    out_.known_frames = i + 1;
  }
  if (next_ && whole_) return unplaced();
  return {};
}

}  // namespace

DeferredCalls deferred_calls(const MemoryReader& memory, const DeferLayout& layout, Address g,
                             std::span<const DeferringFrame> frames, bool whole) {
  return Collector(memory, layout, frames, whole).collect(g);
}

Result<std::vector<PanicRecord>> panics_of(const MemoryReader& memory, const DeferLayout& layout,
                                           Address g) {
  std::vector<PanicRecord> out;
  auto at = read_unsigned<std::uint64_t>(memory, wrapping_add(g, layout.g_panic.bytes));
  while (at && *at != 0) {
    const Address record{*at};
    if (out.size() == kMostPanics)
      return Error{ErrorCode::malformed_data, "the list of panics has no end", record};
    auto goexit = read_unsigned<std::uint8_t>(memory, wrapping_add(record, layout.is_goexit.bytes));
    if (!goexit) return std::move(goexit).error().in("g._panic");
    out.push_back({record, wrapping_add(record, layout.panic_arg.bytes), *goexit != 0});
    at = read_unsigned<std::uint64_t>(memory, wrapping_add(record, layout.panic_link.bytes));
  }
  if (!at) return std::move(at).error().in("g._panic");
  return out;
}

}  // namespace cgo
