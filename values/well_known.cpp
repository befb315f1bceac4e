#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "target/byte_view.h"
#include "values/context_chain.h"
#include "values/error_text.h"
#include "values/evaluate.h"
#include "values/format_value.h"
#include "values/handle.h"
#include "values/quote.h"
#include "values/structure_fields.h"
#include "values/time_text.h"
#include "values/time_value.h"
#include "values/value_reader.h"

namespace cgo {
namespace {

/// How what belongs to a summary is read: without summaries of its own, which could go in a circle.
constexpr ReadLimits kPlain{.depth = 2, .elements = 16, .values = 200, .raw = true};

using Fields = StructureFields;
using Summary = std::string (*)(const Fields&);

std::string summary_of_duration(const Fields& fields) {
  auto value = load_signed(fields.memory(), fields.datum());
  return value ? duration_text(*value) : std::string();
}

/// Source: src/internal/sync/mutex.go (src/sync/mutex.go up to 1.23): locked 1, woken 2,
/// starving 4, and the number of waiters above.
std::string summary_of_mutex(const Fields& fields) {
  const auto state = fields.number({{"state"}, {"mu", "state"}});
  if (!state) return {};
  std::string text = (*state & 1) != 0 ? "locked" : "unlocked";
  if ((*state & 4) != 0) text += ", starving";
  if (const auto waiters = static_cast<std::uint32_t>(*state) >> 3; waiters != 0)
    text += fmt::format(", {} waiting", waiters);
  return text;
}

/// Source: src/sync/rwmutex.go: a writer takes 1<<30 off the number of readers.
std::string summary_of_rwmutex(const Fields& fields) {
  const auto readers = fields.number({{"readerCount", "v"}, {"readerCount"}});
  const auto waited_for = fields.number({{"readerWait", "v"}, {"readerWait"}});
  if (!readers || !waited_for) return {};
  constexpr std::int64_t kMostReaders = 1 << 30;
  if (*readers >= 0) return *readers == 0 ? "unlocked" : fmt::format("read-locked by {}", *readers);
  const std::int64_t others = *readers + kMostReaders;
  if (*waited_for > 0) return fmt::format("a writer waits for {} readers", *waited_for);
  return others > 0 ? fmt::format("write-locked, {} readers waiting", others) : "write-locked";
}

/// Source: src/sync/waitgroup.go: the counter is the upper half of a 64-bit word, the waiters the
/// lower; its top bit belongs to synctest since 1.25.
std::string summary_of_wait_group(const Fields& fields) {
  const auto state = fields.number({{"state", "v"}, {"state1"}});
  if (!state) return {};
  const auto waiters = static_cast<std::uint32_t>(*state) & 0x7fffffff;
  return fmt::format("counter {}, {} waiting", *state >> 32, waiters);
}

std::string summary_of_once(const Fields& fields) {
  const auto done = fields.number({{"done", "v"}, {"done"}});
  return !done ? "" : *done != 0 ? "done" : "not done";
}

/// Source: src/sync/runtime2.go, notifyList: tickets that were given out, and that were called.
std::string summary_of_cond(const Fields& fields) {
  const auto given = fields.number({{"notify", "wait"}}),
             called = fields.number({{"notify", "notify"}});
  if (!given || !called) return {};
  return fmt::format("{} waiting", static_cast<std::uint32_t>(*given - *called));
}

std::string summary_of_atomic(const Fields& fields) {
  const auto value = fields.at({"v"});
  if (!value) return {};
  const bool is_bool = fields.datum().type->name() == "sync/atomic.Bool";
  const Value read = read_value(fields.context(), "v", *value, {.depth = 0});
  if (read.error) return {};
  return is_bool ? (read.text == "0" ? "false" : "true") : read.text;
}

std::string summary_of_buffer(const Fields& fields) {
  constexpr std::uint64_t kShown = 64;
  const auto list = fields.at({"buf"});
  const auto offset = fields.number({{"off"}}).value_or(0);
  auto slice = list ? load_slice(fields.memory(), *list) : Error{};
  if (!slice || offset < 0 || static_cast<std::uint64_t>(offset) > slice->length) return {};
  const std::uint64_t unread = slice->length - static_cast<std::uint64_t>(offset);
  auto bytes =
      read_bytes(fields.memory(), wrapping_add(slice->data, static_cast<std::uint64_t>(offset)),
                 std::min(unread, kShown));
  if (!bytes) return {};
  const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  return fmt::format("{} bytes {}{}", unread, quoted(text), unread > kShown ? "…" : "");
}

/// Divides by ten to the nineteenth, the largest power of ten in 64 bits, again and again.
std::string decimal(std::vector<std::uint64_t> words) {
  __extension__ typedef unsigned __int128 Wide;
  constexpr std::uint64_t kStep = 10'000'000'000'000'000'000u;
  std::string out;
  while (!words.empty()) {
    Wide rest = 0;
    for (std::size_t i = words.size(); i-- > 0;) {
      rest = rest << 64 | words[i];
      words[i] = static_cast<std::uint64_t>(rest / kStep);
      rest %= kStep;
    }
    while (!words.empty() && words.back() == 0) words.pop_back();
    const auto low = static_cast<std::uint64_t>(rest);
    out = (words.empty() ? fmt::format("{}", low) : fmt::format("{:019}", low)) + out;
  }
  return out.empty() ? "0" : out;
}

std::string summary_of_big_int(const Fields& fields) {
  constexpr std::uint64_t kMostWords = 256;
  const auto negative = fields.number({{"neg"}});
  const auto list = fields.at({"abs"});
  auto slice = list ? load_slice(fields.memory(), *list) : Error{};
  if (!negative || !slice) return {};
  if (slice->length > kMostWords) return fmt::format("{} words", slice->length);
  auto bytes = read_bytes(fields.memory(), slice->data, slice->length * 8);
  if (slice->length != 0 && !bytes) return {};
  std::vector<std::uint64_t> words;
  for (std::uint64_t i = 0; i < slice->length; ++i)
    words.push_back(*load<std::uint64_t>(*bytes, i * 8));
  while (!words.empty() && words.back() == 0) words.pop_back();
  return (*negative != 0 ? "-" : "") + decimal(std::move(words));
}

std::string summary_of_errno(const Fields& fields) {
  auto number = load_unsigned(fields.memory(), fields.datum());
  if (!number) return {};
  const std::string text = errno_text(*number);
  return text.empty() ? text : quoted(text);
}

struct WellKnown {
  std::string_view type;
  Summary summary;
};

constexpr std::array kWellKnown = {
    WellKnown{"time.Duration", summary_of_duration},
    WellKnown{"sync.Mutex", summary_of_mutex},
    WellKnown{"internal/sync.Mutex", summary_of_mutex},
    WellKnown{"sync.RWMutex", summary_of_rwmutex},
    WellKnown{"sync.WaitGroup", summary_of_wait_group},
    WellKnown{"sync.Once", summary_of_once},
    WellKnown{"sync.Cond", summary_of_cond},
    WellKnown{"sync/atomic.Int32", summary_of_atomic},
    WellKnown{"sync/atomic.Int64", summary_of_atomic},
    WellKnown{"sync/atomic.Uint32", summary_of_atomic},
    WellKnown{"sync/atomic.Uint64", summary_of_atomic},
    WellKnown{"sync/atomic.Uintptr", summary_of_atomic},
    WellKnown{"sync/atomic.Bool", summary_of_atomic},
    WellKnown{"bytes.Buffer", summary_of_buffer},
    WellKnown{"strings.Builder", summary_of_buffer},
    WellKnown{"math/big.Int", summary_of_big_int},
    WellKnown{"syscall.Errno", summary_of_errno},
};

/// "deadline 2024-… ← value main.key("user"): string("ann") ← background": what a context inherits.
class ContextChain {
 public:
  ContextChain(const ValueContext& context, Value& value) : context_(context), value_(value) {}

  void summarize() {
    constexpr int kLongest = 32;
    std::string out;
    std::optional<Datum> next = value_.datum;
    for (int step = 0; next && step < kLongest; ++step) {
      const std::string link = link_of(*next, next);
      if (link.empty()) return;
      out += (out.empty() ? "" : " ← ") + link;
    }
    value_.unread += unread_;
    value_.summary = std::move(out);
    if (circle_) value_.notes.emplace_back("the contexts go in a circle");
    if (!next) return;
    value_.summary += " ← …";
    value_.notes.push_back(
        fmt::format("cut after {} contexts; 'cgo print --context' shows more", kLongest));
  }

 private:
  std::string inline_of(const Datum& datum) {
    const Value read = read_value(context_, "", datum, kPlain);
    unread_ += unreadable_parts(read);
    return format_inline(read, 60);
  }
  std::string why_not(const Error& error) {
    if (error.code == ErrorCode::unreadable_memory) ++unread_;
    return "<" + error.message + ">";
  }

  /// What one context adds; `next` becomes the one it was made from. Empty for what is none.
  std::string link_of(const Datum& interface, std::optional<Datum>& next) {
    auto held = dynamic_value(context_, interface);
    next.reset();
    if (!held) return why_not(held.error());
    if (!*held) return "nil";
    Datum datum = **std::move(held);
    if (kind_of(datum.type) == TypeKind::pointer) {
      auto target = pointee_of(context_.memory(), datum);
      if (!target) return {};
      datum = *std::move(target);
    }
    if (datum.address && datum.type->bytes() != 0 && !seen_.insert(*datum.address).second) {
      circle_ = true;
      return "…";
    }
    const std::string name(datum.type->name());
    if (name == "context.backgroundCtx") return "background";
    if (name == "context.todoCtx") return "todo";
    if (name == "context.emptyCtx") {
      const auto which = empty_context(context_, datum.address.value_or(Address{}));
      return which == "TODO" ? "todo" : std::string(which);
    }
    auto parent = field_of(context_.memory(), datum, "Context");
    if (!parent) parent = own_field_of(datum, "c");  // withoutCancelCtx
    if (parent && kind_of(parent->type) == TypeKind::go_interface) next = *parent;
    if (name == "context.valueCtx") {
      auto key = own_field_of(datum, "key"), value = own_field_of(datum, "val");
      if (!key || !value) return {};
      return "value " + inline_of(*key) + ": " + inline_of(*value);
    }
    if (name == "context.timerCtx") return "deadline " + deadline_of(datum) + cancelled(datum);
    if (name == "context.cancelCtx") return "cancel" + cancelled(datum);
    return next ? name : std::string();
  }

  std::string deadline_of(const Datum& datum) {
    auto deadline = own_field_of(datum, "deadline");
    if (!deadline) return "<" + deadline.error().message + ">";
    if (auto bytes = load_all(context_.memory(), *deadline); !bytes) return why_not(bytes.error());
    const TimeText time = text_of_time(context_, *deadline);
    if (time.unread) ++unread_;
    return time.text.empty() ? "<not a valid time>" : time.text;
  }

  /// `err` is an error, and an atomic.Value that holds one in later releases.
  std::string cancelled(const Datum& datum) {
    auto error = field_of(context_.memory(), datum, "err");
    if (error && kind_of(error->type) == TypeKind::structure) error = own_field_of(*error, "v");
    auto word = error ? load_word(context_.memory(), *error) : std::move(error).error();
    if (!word) return " (cancelled or not: " + why_not(word.error()) + ")";
    return *word ? " (cancelled)" : "";
  }

  const ValueContext& context_;
  Value& value_;
  std::set<Address> seen_;
  std::size_t unread_ = 0;
  bool circle_ = false;
};

void summarize_error(const ValueContext& context, Value& value) {
  const ErrorText error = error_text(context, value.datum);
  if (error.text) value.summary = quoted(*error.text);
  if (error.text_cut) value.notes.emplace_back("cut: its text is longer");
  std::string wrapped;
  const auto add = [&](const std::string& text) {
    wrapped += (wrapped.empty() ? "" : " ← ") + text;
  };
  for (std::size_t i = 1; i < error.chain.size(); ++i) add(error.chain[i]);
  if (error.lost) {
    add("<" + error.lost->message + ">");
    if (error.lost->code == ErrorCode::unreadable_memory) ++value.unread;
  }
  if (error.chain_cut) add(fmt::format("… (cut after {})", error.chain.size() - 1));
  if (!wrapped.empty()) value.notes.push_back("wraps " + wrapped);
}

void summarize_interface(const ValueContext& context, Value& value) {
  if (value.children.empty()) return;
  const std::string_view name = value.datum.type->name();
  if (name == "error")
    summarize_error(context, value);
  else if (name == "context.Context")
    ContextChain(context, value).summarize();
}

void summarize_time(const ValueContext& context, Value& value) {
  TimeText time = text_of_time(context, value.datum);
  value.summary = std::move(time.text);
  value.notes.insert(value.notes.end(), time.notes.begin(), time.notes.end());
  if (time.unread) ++value.unread;
}

void summarize_handle(const ValueContext& context, Value& value) {
  auto handle = load_unsigned(context.memory(), value.datum);
  if (!handle || *handle == 0) return;
  auto behind = value_of_handle(context, *handle);
  if (!behind) {
    value.notes.push_back(behind.error().message);
    if (behind.error().code == ErrorCode::unreadable_memory) ++value.unread;
    return;
  }
  value.children.push_back(read_value(context, "value", *behind, kPlain));
  value.text = std::to_string(*handle);
  value.shape = Value::Shape::pointer;
}

}  // namespace

void summarize_well_known(const ValueContext& context, Value& value) {
  const Type* type = value.datum.type;
  if (!plain(type)->is_go()) return;
  if (value.shape == Value::Shape::interface) return summarize_interface(context, value);
  const std::string_view name = type->name();
  if (name == "runtime/cgo.Handle") return summarize_handle(context, value);
  if (name == "time.Time") return summarize_time(context, value);
  const auto* found = std::find_if(kWellKnown.begin(), kWellKnown.end(),
                                   [&](const WellKnown& one) { return one.type == name; });
  if (found == kWellKnown.end()) return;
  value.summary = found->summary(Fields(context, value.datum));
}

}  // namespace cgo
