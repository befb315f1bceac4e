#include "goruntime/go_channel.h"

#include <set>

#include "target/byte_view.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMostCapacity = std::uint64_t{1} << 40;
constexpr std::size_t kMostWaiters = 100'000;

// Source: src/runtime/chan.go, hchan; 1.23 put a timer before elemtype, what later releases added
// lies behind the queues.
struct HchanLayout {
  std::uint64_t element_type, send_index, receive_index, receivers, senders, bytes;
};
constexpr HchanLayout layout_for(GoVersion version) {
  const std::uint64_t shift = version.minor >= 23 ? 8 : 0;
  return {32 + shift, 40 + shift, 48 + shift, 56 + shift, 72 + shift, 88 + shift};
}

/// Source: src/runtime/runtime2.go, sudog: g 0, next 8, prev 16, elem 24; 1.19 to 1.27.
Result<void> read_waiters(const MemoryReader& memory, Address first,
                          std::vector<ChannelWaiter>& out) {
  std::set<Address> seen;
  for (Address sudog = first; sudog;) {
    if (!seen.insert(sudog).second)
      return Error{ErrorCode::malformed_data, "the queue of waiters goes in a circle", sudog};
    if (seen.size() > kMostWaiters)
      return Error{ErrorCode::limit_reached, "more waiters than are read", sudog};
    auto bytes = read_bytes(memory, sudog, 32);
    if (!bytes) return std::move(bytes).error().in("waiter");
    out.push_back(
        {.g = {*load<std::uint64_t>(*bytes, 0)}, .element = {*load<std::uint64_t>(*bytes, 24)}});
    sudog = {*load<std::uint64_t>(*bytes, 8)};
  }
  return {};
}

Error contradiction(const char* what, Address at) {
  return {ErrorCode::malformed_data, std::string("channel: ") + what, at};
}

}  // namespace

Result<Channel> decode_channel(const MemoryReader& memory, GoVersion version, Address at) {
  const HchanLayout layout = layout_for(version);
  auto bytes = read_bytes(memory, at, layout.bytes);
  if (!bytes) return std::move(bytes).error().in("channel");
  const auto word = [&](std::uint64_t offset) { return *load<std::uint64_t>(*bytes, offset); };
  Channel out{.address = at,
              .count = word(0),
              .capacity = word(8),
              .element_bytes = *load<std::uint16_t>(*bytes, 24),
              .element_type = {word(layout.element_type)},
              .buffer = {word(16)},
              .next_receive = word(layout.receive_index),
              .closed = *load<std::uint32_t>(*bytes, 28) != 0};
  if (out.count > out.capacity || out.capacity > kMostCapacity)
    return contradiction("it holds more than it has room for", at);
  const bool indices =
      out.capacity == 0 ? out.next_receive == 0 && word(layout.send_index) == 0
                        : out.next_receive < out.capacity && word(layout.send_index) < out.capacity;
  if (!indices) return contradiction("its indices lie outside of its buffer", at);
  if (out.capacity != 0 && !checked_add(out.buffer, out.capacity * out.element_bytes))
    return contradiction("its buffer wraps", at);
  auto done = read_waiters(memory, {word(layout.receivers)}, out.receivers);
  if (!done) out.waiters_error = std::move(done).error().in("receivers");
  done = read_waiters(memory, {word(layout.senders)}, out.senders);
  if (!done) out.waiters_error = std::move(done).error().in("senders");
  return out;
}

}  // namespace cgo
