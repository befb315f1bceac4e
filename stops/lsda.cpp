#include "stops/lsda.h"

#include <algorithm>
#include <optional>

namespace cgo {
namespace {

constexpr std::uint8_t kOmitted = 0xff;
constexpr std::size_t kMostActions = 1000, kMostCallSites = 1 << 20;

Error damaged(Address at, const char* what) {
  return {ErrorCode::malformed_data, "exception table: " + std::string(what) + " at " + hex(at),
          at};
}

/// Reads forward through the table; the first failure is kept, and all that follows is zero.
class TableCursor {
 public:
  TableCursor(const MemoryReader& memory, Address at) : memory_(memory), at_(at) {}

  Address at() const { return at_; }
  void skip_to(Address at) { at_ = at; }
  bool failed() const { return error_.has_value(); }
  Error error() const { return *error_; }
  void fail(Error error) {
    if (!error_) error_ = std::move(error);
  }

  template <class Integer>
  Integer fixed() {
    const auto value = read_unsigned<Integer>(memory_, at_);
    if (!value) {
      fail(value.error());
      return 0;
    }
    at_ = wrapping_add(at_, sizeof(Integer));
    return *value;
  }
  std::uint64_t uleb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = fixed<std::uint8_t>();
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0 || failed()) return value;
    }
    fail(damaged(at_, "a number is too long"));
    return 0;
  }
  std::int64_t sleb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64;) {
      const auto byte = fixed<std::uint8_t>();
      value |= std::uint64_t{byte & 0x7fu} << shift;
      shift += 7;
      if ((byte & 0x80) != 0 && !failed()) continue;
      if ((byte & 0x40) != 0 && shift < 64) value |= ~std::uint64_t{0} << shift;
      return static_cast<std::int64_t>(value);
    }
    fail(damaged(at_, "a number is too long"));
    return 0;
  }
  /// A number in one of DWARF's exception header encodings, and what it is relative to.
  Address encoded(std::uint8_t encoding) {
    const Address place = at_;
    std::uint64_t value = 0;
    switch (encoding & 0x0f) {
      case 0x00:
      case 0x04:
      case 0x0c:
        value = fixed<std::uint64_t>();
        break;
      case 0x01:
        value = uleb();
        break;
      case 0x02:
        value = fixed<std::uint16_t>();
        break;
      case 0x03:
        value = fixed<std::uint32_t>();
        break;
      case 0x09:
        value = static_cast<std::uint64_t>(sleb());
        break;
      case 0x0a:
        value = static_cast<std::uint64_t>(static_cast<std::int64_t>(fixed<std::int16_t>()));
        break;
      case 0x0b:
        value = static_cast<std::uint64_t>(static_cast<std::int64_t>(fixed<std::int32_t>()));
        break;
      default:
        fail(damaged(place, "an unknown encoding"));
    }
    if (value == 0) return {};
    const std::uint8_t relative = encoding & 0x70;
    if (relative == 0x10)
      value += place.value;
    else if (relative != 0)
      fail(damaged(place, "an unknown base"));
    if ((encoding & 0x80) == 0) return {value};
    const auto target = read_pointer(memory_, {value});
    if (!target) {
      fail(target.error());
      return {};
    }
    return *target;
  }

 private:
  const MemoryReader& memory_;
  Address at_;
  std::optional<Error> error_;
};

/// Bytes of an entry of the type table.
std::optional<std::uint64_t> encoded_bytes(std::uint8_t encoding) {
  switch (encoding & 0x0f) {
    case 0x00:
    case 0x04:
    case 0x0c:
      return 8;
    case 0x02:
    case 0x0a:
      return 2;
    case 0x03:
    case 0x0b:
      return 4;
    default:
      return std::nullopt;
  }
}

struct Header {
  Address landing_base, types, actions, call_sites;
  std::uint8_t type_encoding = kOmitted, call_encoding = 0;
};

Header read_header(TableCursor& in, Address function) {
  Header out{.landing_base = function};
  if (const auto encoding = in.fixed<std::uint8_t>(); encoding != kOmitted)
    out.landing_base = in.encoded(encoding);
  out.type_encoding = in.fixed<std::uint8_t>();
  if (out.type_encoding != kOmitted) {
    const std::uint64_t offset = in.uleb();
    out.types = wrapping_add(in.at(), offset);
  }
  out.call_encoding = in.fixed<std::uint8_t>();
  const std::uint64_t bytes = in.uleb();
  out.call_sites = in.at();
  out.actions = wrapping_add(in.at(), bytes);
  return out;
}

Address type_at(TableCursor& in, const Header& header, std::uint64_t index) {
  const auto bytes = encoded_bytes(header.type_encoding);
  if (!bytes || header.type_encoding == kOmitted) {
    in.fail(damaged(header.types, "a handler without a type table"));
    return {};
  }
  in.skip_to({header.types.value - index * *bytes});
  return in.encoded(header.type_encoding);
}

LsdaAction::Handler specification_at(TableCursor& in, const Header& header, std::uint64_t filter) {
  LsdaAction::Handler out{.specification = true};
  Address next = wrapping_add(header.types, filter - 1);
  while (!in.failed() && out.allowed.size() < kMostActions) {
    in.skip_to(next);
    const std::uint64_t index = in.uleb();
    next = in.at();
    if (index == 0) break;
    out.allowed.push_back(type_at(in, header, index));
  }
  return out;
}

void read_handlers(TableCursor& in, const Header& header, std::uint64_t action, LsdaAction& out) {
  Address record = wrapping_add(header.actions, action - 1);
  for (std::size_t i = 0; i < kMostActions && !in.failed(); ++i) {
    in.skip_to(record);
    const std::int64_t filter = in.sleb();
    const Address link = in.at();
    const std::int64_t next = in.sleb();
    if (filter > 0) {
      const Address type = type_at(in, header, static_cast<std::uint64_t>(filter));
      out.handlers.push_back({.all = !type, .type = type});
    } else if (filter < 0) {
      out.handlers.push_back(specification_at(in, header, static_cast<std::uint64_t>(-filter)));
    } else {
      out.cleans_up_too = true;
    }
    if (next == 0) return;
    record = wrapping_add(link, static_cast<std::uint64_t>(next));
  }
  in.fail(damaged(record, "too many handlers"));
}

}  // namespace

Result<LsdaAction> exception_action(const MemoryReader& memory, Address data, Address function,
                                    Address call) {
  TableCursor in(memory, data);
  const Header header = read_header(in, function);
  LsdaAction out{.kind = LsdaAction::Kind::forbids};
  std::size_t count = 0;
  while (!in.failed() && in.at() < header.actions && ++count < kMostCallSites) {
    // Offsets: the base is added here, not by the encoding.
    const Address begin = wrapping_add(function, in.encoded(header.call_encoding).value);
    const std::uint64_t bytes = in.encoded(header.call_encoding).value;
    const std::uint64_t pad = in.encoded(header.call_encoding).value;
    const std::uint64_t action = in.uleb();
    if (in.failed() || call < begin) break;  // They are in order: none covers it.
    if (call.value - begin.value >= bytes) continue;
    out.kind = LsdaAction::Kind::passes;
    if (pad == 0) break;
    out.landing_pad = wrapping_add(header.landing_base, pad);
    out.kind = LsdaAction::Kind::cleans_up;
    if (action != 0) read_handlers(in, header, action, out);
    if (!out.handlers.empty()) out.kind = LsdaAction::Kind::catches;
    break;
  }
  if (in.failed()) return in.error();
  return out;
}

}  // namespace cgo
