#include <algorithm>
#include <cstring>

#include "target/arch.h"
#include "target/dwarf_constants.h"
#include "target/dwarf_typed_value.h"
#include "target/variables.h"

namespace cgo {
namespace {

constexpr std::size_t kMostSteps = 10'000;
constexpr std::size_t kMostElements = 256;
constexpr std::size_t kMostPieces = 1024;
constexpr int kDeepest = 4;  // Frame bases in frame bases.

Error malformed(std::string_view what) {
  return {ErrorCode::malformed_data, "DWARF expression: " + std::string(what)};
}
Error unsupported(std::string_view what) {
  return {ErrorCode::unsupported, "DWARF expression: " + std::string(what)};
}

Result<std::uint64_t> register_value(const ExpressionContext& context, std::uint64_t reg) {
  if (!context.registers)
    return Error{ErrorCode::not_found, "a register is needed, and there is no frame"};
  const auto number = static_cast<unsigned>(std::min<std::uint64_t>(reg, 1 << 16));
  if (const auto value = context.registers->get(number)) return *value;
  return Error{ErrorCode::not_found, "register " +
                                         register_name(context.registers->arch(), number) +
                                         " of this frame is not known"};
}

class Machine {
 public:
  Machine(const DwarfExpression& expression, const ExpressionContext& context, int depth)
      : expression_(expression), context_(context), in_(expression.code), depth_(depth) {}

  Result<std::vector<LocationPiece>> pieces() {
    auto done = run();
    if (!done) return std::move(done).error();
    if (pieces_.empty()) {
      auto whole = take_piece();
      if (!whole) return std::move(whole).error();
      pieces_.push_back(*std::move(whole));
    } else if (simple_ || !stack_.empty()) {
      return malformed("it goes on behind its last piece");
    }
    return std::move(pieces_);
  }

  /// The number on top, for expressions that compute one.
  Result<std::uint64_t> number() {
    auto done = run();
    if (!done) return std::move(done).error();
    if (simple_ && simple_->kind == LocationPiece::Kind::reg)
      return register_value(context_, simple_->reg);
    if (simple_ && simple_->kind != LocationPiece::Kind::value)
      return malformed("it does not compute a number");
    if (simple_) return number_in(simple_->value);
    if (stack_.empty()) return malformed("it leaves nothing on its stack");
    return stack_.back().bits;
  }

 private:
  using Value = DwarfTypedValue;

  /// The number in the first bytes.
  static std::uint64_t number_in(ByteView bytes) {
    std::uint64_t out = 0;
    const std::size_t size = std::min(bytes.size(), sizeof out);
    if (size != 0) std::memcpy(&out, bytes.data(), size);
    return out;
  }

  Result<void> run() {
    for (std::size_t steps = 0; !in_.at_end(); ++steps) {
      if (steps >= kMostSteps) return Error{ErrorCode::limit_reached, "DWARF expression: too long"};
      const std::uint8_t operation = in_.u8();
      // Only a piece, or the end, may come behind a location that is no address.
      if (simple_ && operation != dw::OP_piece && operation != dw::OP_bit_piece &&
          operation != dw::OP_nop && operation != dw::OP_GNU_uninit)
        return malformed("operation " + hex(operation) + " behind a whole location");
      auto done = step(operation);
      if (!done) return done;
      if (!in_.ok()) return malformed("it is cut off");
    }
    if (!in_.ok()) return malformed("it is cut off");
    return {};
  }

  Result<void> push(Result<Value> value) {
    if (!value) return std::move(value).error();
    if (stack_.size() >= kMostElements)
      return Error{ErrorCode::limit_reached, "DWARF expression: its stack is too deep"};
    stack_.push_back(*value);
    return {};
  }
  Result<void> push(std::uint64_t bits) { return push(Result<Value>(generic(bits))); }
  Result<void> push(Result<std::uint64_t> bits) {
    if (!bits) return std::move(bits).error();
    return push(*bits);
  }
  Value generic(std::uint64_t bits) const {
    return {.bits = address_bytes() == 4 ? bits & 0xffffffff : bits};
  }
  Result<Value> pop() {
    if (stack_.empty()) return malformed("its stack is empty");
    const Value top = stack_.back();
    stack_.pop_back();
    return top;
  }
  unsigned address_bytes() const {
    return expression_.unit ? expression_.unit->header.address_bytes : 8;
  }

  Result<void> step(std::uint8_t operation) {
    if (operation >= dw::OP_lit0 && operation <= dw::OP_lit31)
      return push(std::uint64_t{operation} - dw::OP_lit0);
    if (operation >= dw::OP_reg0 && operation <= dw::OP_reg31)
      return in_register(operation - dw::OP_reg0);
    if (operation >= dw::OP_breg0 && operation <= dw::OP_breg31)
      return push_register(operation - dw::OP_breg0, in_.sleb());
    if (operation >= dw::OP_const1u && operation <= dw::OP_consts) return constant(operation);
    if (operation >= dw::OP_dup && operation <= dw::OP_rot) return stack_operation(operation);
    if (operation >= dw::OP_abs && operation <= dw::OP_ne) return arithmetic(operation);
    if (operation >= dw::OP_const_type && operation <= dw::OP_reinterpret) return typed(operation);
    if (operation >= dw::OP_GNU_const_type && operation <= dw::OP_GNU_deref_type)
      return typed(
          static_cast<std::uint8_t>(operation - dw::OP_GNU_const_type + dw::OP_const_type));
    if (operation == dw::OP_GNU_convert) return typed(dw::OP_convert);
    if (operation == dw::OP_GNU_reinterpret) return typed(dw::OP_reinterpret);
    return other(operation);
  }

  Result<void> other(std::uint8_t operation) {
    switch (operation) {
      case dw::OP_addr:
        return push(in_.sized(address_bytes()) + context_.bias);
      case dw::OP_addrx:
      case dw::OP_GNU_addr_index:
        return push_indexed(context_.bias);
      case dw::OP_constx:
      case dw::OP_GNU_const_index:
        return push_indexed(0);
      case dw::OP_deref:
        return deref(address_bytes());
      case dw::OP_deref_size:
        return deref(in_.u8());
      case dw::OP_skip:
        return skip(static_cast<std::int16_t>(in_.u16()));
      case dw::OP_regx:
        return in_register(in_.uleb());
      case dw::OP_bregx: {
        const std::uint64_t reg = in_.uleb();
        return push_register(reg, in_.sleb());
      }
      case dw::OP_fbreg:
        return push_frame_base(in_.sleb());
      case dw::OP_call_frame_cfa:
        if (!context_.cfa)
          return Error{ErrorCode::not_found, "the canonical frame address is not known"};
        return push(context_.cfa->value);
      case dw::OP_piece:
        return end_piece(in_.uleb());
      case dw::OP_bit_piece: {
        const std::uint64_t bits = in_.uleb();
        return end_bit_piece(bits, in_.uleb());
      }
      case dw::OP_nop:
      case dw::OP_GNU_uninit:
        return {};
      case dw::OP_implicit_value: {
        const ByteView block = in_.block(in_.uleb());
        simple_ = {.kind = LocationPiece::Kind::value, .value = {block.begin(), block.end()}};
        return {};
      }
      case dw::OP_stack_value:
        return stack_value();
      case dw::OP_implicit_pointer:
      case dw::OP_GNU_implicit_pointer:
        in_.offset(expression_.unit && expression_.unit->header.dwarf64);
        in_.sleb();
        simple_ = {.why =
                       "the compiler removed this pointer; what it points to is another variable"};
        return {};
      case dw::OP_entry_value:
      case dw::OP_GNU_entry_value:
        return entry_value();
      case dw::OP_GNU_parameter_ref:
        return Error{ErrorCode::not_found,
                     "the compiler removed this parameter; only the caller knows it"};
      case dw::OP_form_tls_address:
      case dw::OP_GNU_push_tls_address:
        return unsupported("thread-local variables are not read");
      default:
        return unsupported("operation " + hex(operation));
    }
  }

  Result<void> in_register(std::uint64_t reg) {
    simple_ = {.kind = LocationPiece::Kind::reg,
               .reg = static_cast<unsigned>(std::min<std::uint64_t>(reg, 1 << 16))};
    return {};
  }

  Result<void> push_register(std::uint64_t reg, std::int64_t offset) {
    auto value = register_value(context_, reg);
    if (!value) return std::move(value).error();
    return push(*value + static_cast<std::uint64_t>(offset));
  }

  Result<void> push_frame_base(std::int64_t offset) {
    if (context_.frame_base.empty())
      return malformed("it counts from a frame base, and the function has none");
    if (depth_ >= kDeepest) return malformed("the frame base refers to itself");
    auto base = Machine(context_.frame_base, context_, depth_ + 1).pieces();
    if (!base) return std::move(base).error().in("frame base");
    const LocationPiece& place = base->front();
    if (base->size() != 1) return malformed("the frame base is in pieces");
    const auto plus = [&](std::uint64_t value) {
      return push(value + static_cast<std::uint64_t>(offset));
    };
    switch (place.kind) {
      case LocationPiece::Kind::memory:
        return plus(place.address.value);
      case LocationPiece::Kind::value:
        return plus(number_in(place.value));
      case LocationPiece::Kind::reg: {
        auto value = register_value(context_, place.reg);
        if (!value) return std::move(value).error().in("frame base");
        return plus(*value);
      }
      default:
        return malformed("the frame base is nowhere");
    }
  }

  Result<void> push_indexed(std::uint64_t bias) {
    const std::uint64_t index = in_.uleb();
    if (!expression_.unit) return malformed("an indexed address without a unit");
    auto address = expression_.unit->indexed_address(index);
    if (!address) return std::move(address).error();
    return push(*address + bias);
  }

  Result<void> constant(std::uint8_t operation) {
    const auto extended = [](auto value) {
      return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
    };
    switch (operation) {
      case dw::OP_const1u:
        return push(std::uint64_t{in_.u8()});
      case dw::OP_const1s:
        return push(extended(static_cast<std::int8_t>(in_.u8())));
      case dw::OP_const2u:
        return push(std::uint64_t{in_.u16()});
      case dw::OP_const2s:
        return push(extended(static_cast<std::int16_t>(in_.u16())));
      case dw::OP_const4u:
        return push(std::uint64_t{in_.u32()});
      case dw::OP_const4s:
        return push(extended(static_cast<std::int32_t>(in_.u32())));
      case dw::OP_constu:
        return push(in_.uleb());
      case dw::OP_consts:
        return push(extended(in_.sleb()));
      default:
        return push(in_.u64());
    }
  }

  Result<void> stack_operation(std::uint8_t operation) {
    const std::size_t size = stack_.size();
    const auto pick = [&](std::size_t from_top) -> Result<void> {
      if (from_top >= size) return malformed("its stack is empty");
      return push(Result<Value>(stack_[size - 1 - from_top]));
    };
    switch (operation) {
      case dw::OP_dup:
        return pick(0);
      case dw::OP_over:
        return pick(1);
      case dw::OP_pick:
        return pick(in_.u8());
      case dw::OP_drop: {
        auto dropped = pop();
        return dropped ? Result<void>{} : std::move(dropped).error();
      }
      default: {
        const std::size_t count = operation == dw::OP_swap ? 2 : 3;
        if (size < count) return malformed("its stack is empty");
        std::rotate(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end() - 1,
                    stack_.end());
        return {};
      }
    }
  }

  Result<void> arithmetic(std::uint8_t operation) {
    if (operation == dw::OP_bra) return branch();
    auto b = pop();
    if (!b) return std::move(b).error();
    if (operation == dw::OP_plus_uconst) return push(typed_value(*b, b->bits + in_.uleb()));
    if (operation == dw::OP_abs || operation == dw::OP_neg || operation == dw::OP_not)
      return push(unary_operation(operation, *b));
    auto a = pop();
    if (!a) return std::move(a).error();
    return push(binary_operation(operation, *a, *b));
  }

  Result<void> branch() {
    const auto distance = static_cast<std::int16_t>(in_.u16());
    auto condition = pop();
    if (!condition) return std::move(condition).error();
    return condition->bits != 0 ? skip(distance) : Result<void>{};
  }

  Result<void> skip(std::int16_t distance) {
    const auto target = static_cast<std::int64_t>(in_.position()) + distance;
    if (!in_.ok() || target < 0 || target > static_cast<std::int64_t>(expression_.code.size()))
      return malformed("it jumps out of itself");
    in_ = DwarfCursor(expression_.code, static_cast<std::uint64_t>(target));
    return {};
  }

  Result<std::uint64_t> load(std::uint64_t bytes) {
    auto address = pop();
    if (!address) return std::move(address).error();
    if (bytes == 0 || bytes > 8) return malformed("it reads " + std::to_string(bytes) + " bytes");
    if (!context_.memory) return Error{ErrorCode::not_found, "memory is needed, and there is none"};
    std::uint64_t value = 0;
    auto done = context_.memory->read({address->bits},
                                      std::as_writable_bytes(std::span(&value, 1)).first(bytes));
    if (!done) return std::move(done).error();
    return value;
  }
  Result<void> deref(std::uint64_t bytes) { return push(load(bytes)); }

  Result<void> typed(std::uint8_t operation) {
    std::uint64_t reg = 0, bytes = 0;
    if (operation == dw::OP_regval_type) reg = in_.uleb();
    if (operation == dw::OP_deref_type) bytes = in_.u8();
    auto type = typed_zero(expression_.unit, in_.uleb());
    if (!type) return std::move(type).error();
    switch (operation) {
      case dw::OP_const_type: {
        const ByteView block = in_.block(in_.u8());
        if (block.size() > sizeof(std::uint64_t)) return unsupported("a constant of many bytes");
        return push(typed_value(*type, number_in(block)));
      }
      case dw::OP_regval_type: {
        auto bits = register_value(context_, reg);
        if (!bits) return std::move(bits).error();
        return push(typed_value(*type, *bits));
      }
      case dw::OP_deref_type: {
        auto bits = load(bytes);
        if (!bits) return std::move(bits).error();
        return push(typed_value(*type, *bits));
      }
      case dw::OP_convert:
      case dw::OP_reinterpret: {
        auto value = pop();
        if (!value) return std::move(value).error();
        return push(operation == dw::OP_convert ? converted(*value, *type)
                                                : typed_value(*type, value->bits));
      }
      default:
        return unsupported("operation " + hex(operation));
    }
  }

  Result<void> entry_value() {
    const ByteView block = in_.block(in_.uleb());
    if (!in_.ok()) return malformed("it is cut off");
    if (!context_.entry_value)
      return Error{ErrorCode::not_found, "what the caller passed is not known"};
    return push(context_.entry_value({block, expression_.unit}));
  }

  Result<void> stack_value() {
    auto top = pop();
    if (!top) return std::move(top).error();
    LocationPiece piece{.kind = LocationPiece::Kind::value};
    piece.value.resize(top->kind == Value::Kind::generic ? sizeof top->bits : top->bytes);
    std::memcpy(piece.value.data(), &top->bits, piece.value.size());
    simple_ = std::move(piece);
    return {};
  }

  /// What the operations so far describe; nothing at all means that it is nowhere.
  Result<LocationPiece> take_piece() {
    if (simple_) return *std::exchange(simple_, std::nullopt);
    if (stack_.empty()) return LocationPiece{.why = "optimized out"};
    auto address = pop();
    if (!address) return std::move(address).error();
    return LocationPiece{.kind = LocationPiece::Kind::memory, .address = {address->bits}};
  }

  Result<void> end_piece(std::uint64_t bytes) {
    auto piece = take_piece();
    if (!piece) return std::move(piece).error();
    if (bytes == 0) return {};
    if (pieces_.size() >= kMostPieces)
      return Error{ErrorCode::limit_reached, "DWARF expression: too many pieces"};
    piece->bytes = bytes;
    pieces_.push_back(*std::move(piece));
    return {};
  }

  Result<void> end_bit_piece(std::uint64_t bits, std::uint64_t offset) {
    constexpr std::uint64_t kMostBits = 1 << 16;
    if (bits > kMostBits || offset > kMostBits) return malformed("a piece has too many bits");
    const std::size_t before = pieces_.size();
    auto done = end_piece((bits + 7) / 8);
    if (!done || pieces_.size() == before) return done;
    pieces_.back().bit_size = static_cast<std::uint32_t>(bits);
    pieces_.back().bit_offset = static_cast<std::uint32_t>(offset);
    return {};
  }

  const DwarfExpression& expression_;
  const ExpressionContext& context_;
  DwarfCursor in_;
  int depth_;
  std::vector<Value> stack_;
  std::optional<LocationPiece> simple_;  // A location that is no address.
  std::vector<LocationPiece> pieces_;
};

}  // namespace

Result<std::vector<LocationPiece>> evaluate_location(const DwarfExpression& expression,
                                                     const ExpressionContext& context) {
  return Machine(expression, context, 0).pieces();
}

Result<std::uint64_t> evaluate_number(const DwarfExpression& expression,
                                      const ExpressionContext& context) {
  return Machine(expression, context, 0).number();
}

Result<std::vector<LocationPiece>> locate(const Variable& variable,
                                          const ExpressionContext& context) {
  if (variable.error) return *variable.error;
  if (variable.constant)
    return std::vector{LocationPiece{.kind = LocationPiece::Kind::value, .value = variable.value}};
  return evaluate_location(variable.location, context);
}

}  // namespace cgo
