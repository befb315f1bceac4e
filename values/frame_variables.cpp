#include "values/frame_variables.h"

#include <algorithm>

#include "goruntime/argument_slots.h"
#include "values/closure_layout.h"
#include "values/frame_context.h"

namespace cgo {
namespace {

constexpr const char* kNotMade = "not made yet: its address is still nil";
constexpr unsigned kClosureRegister = 1;  // DWARF number of RDX on amd64.

Error optimized_out() { return {ErrorCode::not_found, "optimized out"}; }

/// Where a variable lies, as a datum of `type`.
Result<Datum> datum_of(const Variable& variable, const Type* type,
                       const ExpressionContext& context) {
  auto pieces = locate(variable, context);
  if (!pieces) return std::move(pieces).error();
  if (pieces->size() == 1 && pieces->front().kind == LocationPiece::Kind::memory &&
      pieces->front().bit_size == 0)
    return datum_at(type, pieces->front().address);
  const std::uint64_t bytes = type->bytes();
  // An empty structure is where it is needed: nowhere.
  if (bytes == 0 && type->complete()) return Datum{.type = type, .bytes = std::vector<std::byte>{}};
  auto value = read_pieces(*pieces, bytes, context, kMostDatumBytes);
  if (!value) return std::move(value).error();
  const bool is_one = value->holes.size() == 1 && value->holes.front().bytes == bytes;
  if (is_one && value->holes.front().low_bits == 0 && value->holes.front().high_bits == 0)
    return std::move(value->holes.front().why);
  return Datum{.type = type, .bytes = std::move(value->bytes), .holes = std::move(value->holes)};
}

/// Puts the bytes of a part into the holes that they cover wholly or partly.
bool fill_holes(Datum& datum, std::uint64_t from, ByteView bytes) {
  std::vector<ValueBytes::Hole> left;
  const std::uint64_t to = from + bytes.size();
  bool filled = false;
  for (ValueBytes::Hole& hole : datum.holes) {
    const std::uint64_t end = hole.offset + hole.bytes;
    const std::uint64_t first = std::max(from, hole.offset), last = std::min(to, end);
    if (first >= last || last > datum.bytes->size()) {
      left.push_back(std::move(hole));
      continue;
    }
    filled = true;
    std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(first - from),
              bytes.begin() + static_cast<std::ptrdiff_t>(last - from),
              datum.bytes->begin() + static_cast<std::ptrdiff_t>(first));
    if (hole.offset < first) left.push_back({hole.offset, first - hole.offset, hole.why});
    if (last < end) left.push_back({last, end - last, hole.why});
  }
  datum.holes = std::move(left);
  return filled;
}

/// "main.Map" of "main.Map[...]" and "main.Map[go.shape.int]".
std::string_view without_type_arguments(std::string_view function) {
  return function.substr(0, function.find('['));
}

/// Reads the variables of one scope.
class FrameReader {
 public:
  FrameReader(const FrameContext& context, const Scope& scope, std::uint32_t line)
      : context_(context), scope_(scope), line_(line) {}

  std::vector<FrameVariable> read() {
    std::vector<FrameVariable> out;
    for (const Variable& variable : scope_.variables) out.push_back(read(variable));
    read_spilled(out);
    if (is_go()) join_escaped_parameters(out);
    mark_shadowed(out);
    return out;
  }

 private:
  bool is_go() const { return scope_.language == Language::go; }

  /// Where the length of an array is told by the frame, with that.
  FrameVariable read(const Variable& variable) const {
    if (is_go() || variable.type == nullptr) return read_as(variable);
    auto type = context_.type_in_frame(variable.type);
    if (type && *type == variable.type) return read_as(variable);
    Variable known = variable;
    if (type) known.type = *type;
    FrameVariable out = read_as(known);
    if (!type) out.note = "its length: " + type.error().message;
    return out;
  }

  FrameVariable read_as(const Variable& variable) const {
    FrameVariable out{.name = std::string(variable.name),
                      .type = variable.type,
                      .parameter = variable.parameter,
                      .result = variable.result,
                      .captured = variable.closure_offset.has_value(),
                      .hidden = is_go() && variable.name.starts_with('.'),
                      .depth = variable.depth,
                      .declared_line = variable.declared_line};
    out.declared_later = !out.parameter && line_ != 0 && out.declared_line > line_;
    if (!out.parameter && line_ != 0 && out.declared_line == line_)
      out.note = "declared on this line: it may not be set yet";
    auto datum = variable.error ? Result<Datum>(*variable.error) : place(variable);
    // Source: cmd/compile/internal/ssagen (names of variables that live on the heap).
    if (is_go() && variable.name.starts_with('&')) {
      out.name.erase(0, 1);
      out.escaped = true;
      auto pointee = variable.type ? variable.type->target() : optimized_out();
      if (pointee) out.type = *pointee;
      if (datum) datum = pointee ? behind(*datum, *pointee) : std::move(pointee).error();
    }
    if (datum)
      out.datum = *std::move(datum);
    else
      out.error = std::move(datum).error();
    return out;
  }

  Result<Datum> place(const Variable& variable) const {
    if (!variable.type) return Error{ErrorCode::not_found, "its type is not known"};
    if (variable.location.empty() && !variable.constant && variable.closure_offset)
      if (auto held = in_closure(*variable.closure_offset, variable.type)) {
        const auto target = variable.type->target();
        if (variable.name.starts_with('&') && (!target || may_be_held_as_value(**target)))
          return Error{
              ErrorCode::not_found,
              "captured by value or by reference, which is not told at the function's entry"};
        return *held;
      }
    return datum_of(variable, variable.type, context_.expressions());
  }

  /// On entry the closure that is called is in a register; a captured variable has no other place
  /// yet. Source: cmd/compile/internal/amd64 (context register), Go 1.19 to 1.27.
  std::optional<Datum> in_closure(std::uint64_t offset, const Type* type) const {
    const PhysicalFrame& frame = context_.frame();
    if (frame.pc.origin != CodeAddress::Origin::program_counter || !frame.go ||
        frame.pc.address != frame.go->entry)
      return std::nullopt;
    const auto closure = frame.registers.get(kClosureRegister);
    const auto at = closure ? checked_add({*closure}, offset) : std::nullopt;
    if (!at) return std::nullopt;
    return datum_at(type, *at);
  }

  /// Of a parameter that is known in part or not at all: the words that its slot certainly has.
  bool add_kept_words(FrameVariable& parameter, const ArgumentSlot& slot, Address at) const {
    const std::uint64_t bytes = parameter.type->bytes();
    if (parameter.datum && (parameter.datum->holes.empty() || !parameter.datum->bytes))
      return false;
    if (slot.live && !parameter.datum) return false;  // All of it is there.
    Datum known = parameter.datum
                      ? *parameter.datum
                      : Datum{.type = parameter.type,
                              .bytes = std::vector<std::byte>(bytes),
                              .holes = {{0, bytes, parameter.error.value_or(optimized_out())}}};
    if (known.bytes->size() != bytes) return false;
    bool added = false;
    for (const ArgumentSlot::Part& part : slot.parts) {
      if (!part.live) continue;
      auto word = read_bytes(*context_.expressions().memory,
                             wrapping_add(at, part.offset - slot.offset), part.bytes);
      if (word) added = fill_holes(known, part.offset - slot.offset, *word) || added;
    }
    if (!added) return false;
    parameter.note = known.holes.empty() ? "from its spill slot" : "partly from its spill slot";
    parameter.datum = std::move(known);
    parameter.error.reset();
    return true;
  }

  /// A parameter that debug information has lost may still be where the runtime has it put when
  /// the registers are needed. Only where its table and debug information agree on what there is.
  void read_spilled(std::vector<FrameVariable>& all) const {
    const PhysicalFrame& frame = context_.frame();
    const auto& cfa = context_.expressions().cfa;
    if (!frame.go || !cfa || &scope_ != &context_.scopes().back()) return;
    std::vector<FrameVariable*> parameters;
    for (FrameVariable& variable : all)
      if (variable.parameter && !variable.result && !variable.hidden)
        parameters.push_back(&variable);
    const ArgumentSlots slots = argument_slots(*frame.go, context_.lookup());
    if (!slots.complete || slots.parameters.size() != parameters.size()) return;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      FrameVariable& parameter = *parameters[i];
      const auto& slot = slots.parameters[i];
      if (parameter.escaped || !slot || parameter.type == nullptr) continue;
      const auto at = checked_add(*cfa, slot->offset);
      if (!at || slot->bytes != parameter.type->bytes()) continue;
      if (add_kept_words(parameter, *slot, *at) || parameter.datum) continue;
      if (slot->live) {
        parameter.datum = datum_at(parameter.type, *at);
        parameter.error.reset();
        parameter.note = "from its spill slot";
      } else {
        parameter.stale = datum_at(parameter.type, *at);
        parameter.note = "stale: the runtime keeps only the spill slot here";
      }
    }
  }

  /// What an escaped variable's pointer points at.
  Result<Datum> behind(const Datum& pointer, const Type* type) const {
    auto address = load_word(*context_.expressions().memory, pointer);
    if (!address) return std::move(address).error().in("address of the variable");
    if (!*address) return Error{ErrorCode::not_found, kNotMade};
    return datum_at(type, *address);
  }

  /// Of several variables of one name, the one in the innermost block counts, and of those in one
  /// block the last; a variable that is declared behind this line does not count yet.
  static void mark_shadowed(std::vector<FrameVariable>& all) {
    for (FrameVariable& outer : all) {
      for (const FrameVariable& inner : all) {
        if (&inner == &outer || inner.name != outer.name || inner.name == "_") continue;
        if (inner.declared_later && !outer.declared_later) continue;
        const bool hides = inner.depth != outer.depth ? inner.depth > outer.depth : &inner > &outer;
        const bool counts_first = outer.declared_later && !inner.declared_later;
        if (hides || counts_first) outer.shadowed = true;
      }
    }
  }

  const FrameContext& context_;
  const Scope& scope_;
  std::uint32_t line_;
};

/// The inlined calls of Go code that a stack shows are those of the runtime's table, which can have
/// others than debug information. Where they differ in number the name decides.
std::optional<std::size_t> depth_in(const std::vector<SourceFrame>& frames,
                                    const FramePosition& position) {
  if (position.functions == 0 || frames.size() == position.functions) return position.inline_depth;
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (without_type_arguments(frames[i].function) != without_type_arguments(position.function))
      continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

}  // namespace

Result<FramePosition> position_of(const std::vector<StackElement>& elements, std::size_t index) {
  const auto* frame = index < elements.size() ? std::get_if<Frame>(&elements[index]) : nullptr;
  if (frame == nullptr) return Error{ErrorCode::not_found, "there is no frame there"};
  if (frame->tail_call)
    return Error{ErrorCode::not_found,
                 "this frame was left by a tail call: nothing of it is on the stack any more"};
  FramePosition out{.physical = frame->physical, .function = frame->function};
  const auto shares = [&](std::size_t i) {
    const auto* other = std::get_if<Frame>(&elements[i]);
    return other != nullptr && other->physical == frame->physical;
  };
  std::size_t first = index;
  while (first > 0 && shares(first - 1)) --first;
  for (std::size_t i = first; i < elements.size() && shares(i); ++i) {
    if (std::get<Frame>(elements[i]).tail_call) continue;
    if (i < index) ++out.inline_depth;
    ++out.functions;
  }
  return out;
}

Result<std::vector<FrameVariable>> frame_variables(const FrameSource& source,
                                                   FramePosition position) {
  auto context = FrameContext::at(source, position.physical);
  if (!context) return std::move(context).error();
  const auto& scopes = (*context)->scopes();
  const auto& frames = (*context)->source_frames();
  const auto depth = depth_in(frames, position);
  if (!depth || *depth >= scopes.size())
    return Error{ErrorCode::not_found, "debug information does not have this inlined function at " +
                                           hex((*context)->lookup())};
  const std::uint32_t line = *depth < frames.size() ? frames[*depth].line : 0;
  return FrameReader(**context, scopes[*depth], line).read();
}

void join_escaped_parameters(std::vector<FrameVariable>& variables) {
  std::vector<const FrameVariable*> drop;
  for (FrameVariable& slot : variables) {
    if ((!slot.parameter && !slot.result) || slot.escaped || slot.name == "_") continue;
    // Source: src/cmd/compile/internal/escape, moveToHeap: the variable is declared where the
    // parameter is.
    const auto moved = std::find_if(variables.begin(), variables.end(), [&](const auto& other) {
      return other.escaped && !other.parameter && !other.result && !other.captured &&
             other.name == slot.name && other.depth == slot.depth &&
             other.declared_line == slot.declared_line;
    });
    if (moved == variables.end()) continue;
    drop.push_back(&*moved);
    if (moved->error && moved->error->message == kNotMade) continue;
    const bool parameter = slot.parameter, result = slot.result;
    slot = *moved;
    slot.parameter = parameter;
    slot.result = result;
  }
  std::vector<FrameVariable> left;
  for (FrameVariable& variable : variables)
    if (std::find(drop.begin(), drop.end(), &variable) == drop.end())
      left.push_back(std::move(variable));
  variables = std::move(left);
}

const FrameVariable* visible_variable(const std::vector<FrameVariable>& variables,
                                      std::string_view name) {
  for (const FrameVariable& variable : variables)
    if (!variable.shadowed && variable.name == name) return &variable;
  return nullptr;
}

}  // namespace cgo
