#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "values/cxx_value.h"

// Source of all fields here: libstdc++ of gcc 7 to 15, include/bits and include/std.

namespace cgo {
namespace {

constexpr std::size_t kMostParts = 256;

/// The base class whose name begins so; not_found where there is none.
Result<Datum> base_of(const Datum& object, std::string_view name) {
  auto members = plain(object.type)->members();
  if (!members) return std::move(members).error();
  for (std::size_t i = 0; i < members->size(); ++i) {
    if (!(*members)[i].base_class) continue;
    auto base = member_of(object, i);
    if (base && plain(base->type)->name().starts_with(name)) return base;
  }
  return Error{ErrorCode::not_found,
               format_type(*object.type) + " is not made from " + std::string(name)};
}

/// What a std::tuple holds, in order: each std::_Tuple_impl has one and the next.
Result<std::vector<Datum>> parts_of_tuple(const Datum& tuple) {
  std::vector<Datum> out;
  auto level = base_of(tuple, "std::_Tuple_impl<");
  while (level && out.size() < kMostParts) {
    auto head = base_of(*level, "std::_Head_base<");
    auto part = head ? own_field_of(*head, "_M_head_impl") : std::move(head).error();
    // A class without members is a base class of what holds it.
    if (!part && head) part = base_of(*head, "");
    if (!part) return std::move(part).error();
    out.push_back(*std::move(part));
    level = base_of(*level, "std::_Tuple_impl<");
  }
  return out;
}

/// The value in raw storage, which does not say what it holds: its class's first argument does.
Result<Datum> in_storage(const Datum& storage) {
  const Type& type = *plain(storage.type);
  if (!type.name().starts_with("__gnu_cxx::__aligned_")) return storage;
  auto held = type.template_argument(0);
  if (!held) return std::move(held).error();
  return part_of(storage, *held, 0);
}

Result<void> show_pointer(CxxValue& v, const Datum& pointer, const std::string& remark,
                          bool follow) {
  // The rest may be known where the pointer was optimized out.
  if (auto word = load_word(v.memory(), pointer); !word) return std::move(word).error();
  Value shown = follow ? v.part({}, pointer) : Value{.shape = Value::Shape::pointer};
  if (!follow)
    if (auto address = load_word(v.memory(), pointer)) shown.text = hex(*address);
  if (!remark.empty()) shown.text += " " + remark;
  v.become(std::move(shown));
  return {};
}

/// Shows which type it holds, too.
void hold_one(CxxValue& v, Datum held) {
  v.value().shape = Value::Shape::interface;
  v.value().children.push_back(v.part("*", std::move(held)));
}

}  // namespace

Result<void> show_cxx_tuple(CxxValue& v) {
  auto parts = parts_of_tuple(v.value().datum);
  if (!parts) return std::move(parts).error();
  if (!v.begin(Value::Shape::elements, parts->size(), parts->empty() ? "" : " ")) return {};
  v.value().text.clear();
  for (Datum& part : *parts)
    if (v.goes_on()) v.add_element(std::move(part));
  v.end(parts->size());
  return {};
}

Result<void> show_cxx_optional(CxxValue& v) {
  auto engaged = v.number({"_M_payload", "_M_engaged"});
  auto held = v.field({"_M_payload", "_M_payload", "_M_value"});
  if (!engaged) return std::move(engaged).error();
  if (!held) return std::move(held).error();
  if (*engaged > 1) return cxx_damaged(fmt::format("whether it has a value is {}", *engaged));
  if (*engaged == 0)
    v.become({.shape = Value::Shape::scalar, .text = "nullopt"});
  else if (plain(held->type)->name().starts_with("std::optional<"))
    hold_one(v, *std::move(held));  // Else one that is empty inside would look empty itself.
  else
    v.become(v.part({}, *std::move(held)));
  return {};
}

/// A union of the first alternative and the union of the others.
Result<void> show_cxx_variant(CxxValue& v) {
  auto index = v.field({"_M_index"});
  auto number = v.number({"_M_index"});
  auto storage = v.field({"_M_u"});
  if (!index) return std::move(index).error();
  if (!number) return std::move(number).error();
  if (!storage) return std::move(storage).error();
  const std::uint64_t none = ~std::uint64_t{0} >> (64 - 8 * plain(index->type)->bytes());
  if (*number == none) {
    v.become({.shape = Value::Shape::scalar, .text = "valueless"});
    return {};
  }
  if (*number >= kMostParts) return cxx_damaged(fmt::format("it holds alternative {}", *number));
  for (std::uint64_t i = 0; i < *number; ++i) {
    storage = own_field_of(*storage, "_M_rest");
    if (!storage) return cxx_damaged(fmt::format("it holds alternative {}", *number));
  }
  auto first = own_field_of(*storage, "_M_first");
  if (first) first = field_of(v.memory(), *first, "_M_storage");
  if (first) first = in_storage(*first);
  if (!first) return cxx_damaged(fmt::format("it holds alternative {}", *number));
  hold_one(v, *std::move(first));
  return {};
}

Result<void> show_cxx_unique_pointer(CxxValue& v) {
  auto holder = v.field({"_M_t"});
  if (!holder) return std::move(holder).error();
  // Since gcc 7 std::__uniq_ptr_data lies around the tuple.
  if (auto inner = field_of(v.memory(), *holder, "_M_t")) holder = std::move(inner);
  auto parts = parts_of_tuple(*holder);
  if (!parts) return std::move(parts).error();
  if (parts->empty() || kind_of(parts->front().type) != TypeKind::pointer)
    return Error{ErrorCode::unsupported, "it holds no plain pointer"};
  return show_pointer(v, parts->front(), {}, true);
}

Result<void> show_cxx_shared_pointer(CxxValue& v) {
  auto pointer = v.field({"_M_ptr"});
  auto counts = v.field({"_M_refcount", "_M_pi"});
  if (!pointer) return std::move(pointer).error();
  if (!counts) return std::move(counts).error();
  auto control = load_word(v.memory(), *counts);
  if (!control) return std::move(control).error();
  if (!*control) return show_pointer(v, *pointer, {}, true);
  auto block = pointee_of(v.memory(), *counts);
  if (!block) return std::move(block).error();
  auto uses = field_of(v.memory(), *block, "_M_use_count");
  auto watchers = field_of(v.memory(), *block, "_M_weak_count");
  if (!uses) return std::move(uses).error();
  if (!watchers) return std::move(watchers).error();
  auto use = load_signed(v.memory(), *uses), weak = load_signed(v.memory(), *watchers);
  if (!use) return cxx_damaged(use.error().message);
  if (!weak) return cxx_damaged(weak.error().message);
  if (*use < 0 || *weak < 0) return cxx_damaged(fmt::format("{} uses, {} weak ones", *use, *weak));
  const bool is_weak = v.type().name().starts_with("std::weak_ptr<");
  if (*use == 0 && !is_weak) return cxx_damaged("nobody uses what it points at");
  // All that use it count as one of the weak ones.
  const std::int64_t own = *use > 0 ? 1 : 0;
  const std::string remark = *use == 0
                                 ? fmt::format("(expired, weak count {})", *weak)
                                 : fmt::format("(use count {}, weak count {})", *use, *weak - own);
  return show_pointer(v, *pointer, remark, *use > 0);
}

Result<void> show_cxx_atomic(CxxValue& v) {
  for (const auto& path : {CxxValue::Path{"_M_i"}, CxxValue::Path{"_M_base", "_M_i"},
                           CxxValue::Path{"_M_b", "_M_p"}, CxxValue::Path{"_M_fp"}})
    if (auto held = v.field(path)) {
      v.become(v.part({}, *std::move(held)));
      return {};
    }
  return Error{ErrorCode::not_found, "its value has another name than in the releases known here"};
}

/// What it calls is named where it is a plain function; else by the handler that was made for it.
Result<void> show_cxx_function(CxxValue& v) {
  auto manager = v.word({"_M_manager"}), invoker = v.word({"_M_invoker"});
  auto functor = v.field({"_M_functor"});
  if (!manager) return std::move(manager).error();
  if (!invoker) return std::move(invoker).error();
  if (!functor) return std::move(functor).error();
  Value& value = v.value();
  if (!*manager) {
    value.shape = Value::Shape::scalar;
    value.text = "empty";
    return {};
  }
  const auto handler = v.context().place_of(*invoker);
  if (!handler || handler->offset != 0 ||
      handler->function.find("_Function_handler<") == std::string::npos)
    return cxx_damaged("it calls nothing that is known");
  value.shape = Value::Shape::scalar;
  value.text = handler->function;
  auto target = load_word(v.memory(), *functor);
  const auto place = target ? v.context().place_of(*target) : std::nullopt;
  const bool is_plain = handler->function.find("(*)(") != std::string::npos;
  if (is_plain && place && place->offset == 0) value.text = hex(*target) + " " + place->function;
  return {};
}

Result<void> show_cxx_duration(CxxValue& v) {
  auto count = v.field({"__r"});
  auto period = v.type().template_argument(1);
  if (!count) return std::move(count).error();
  if (!period) return std::move(period).error();
  struct Unit {
    std::string_view period, name;
  };
  constexpr Unit kUnits[] = {{"std::ratio<1, 1000000000>", "ns"}, {"std::ratio<1, 1000000>", "us"},
                             {"std::ratio<1, 1000>", "ms"},       {"std::ratio<1, 1>", "s"},
                             {"std::ratio<60, 1>", "min"},        {"std::ratio<3600, 1>", "h"},
                             {"std::ratio<86400, 1>", "d"}};
  const std::string_view name = plain(*period)->name();
  const auto unit = std::ranges::find(kUnits, name, &Unit::period);
  Value shown = v.part({}, *std::move(count));
  shown.text += " " + std::string(unit != std::end(kUnits) ? unit->name : name);
  v.become(std::move(shown));
  return {};
}

}  // namespace cgo
