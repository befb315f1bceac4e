#pragma once

#include <map>

#include "goruntime/runtime_types.h"
#include "support/type_builder.h"
#include "values/value_context.h"

namespace cgo {

/// The context of types and memory built by hand. Make it when everything is built.
class TestContext final : public ValueContext {
 public:
  explicit TestContext(const TypeBuilder& build) : TestContext(build.memory(), build.version()) {}
  TestContext(const MemoryReader& memory, GoVersion version)
      : memory_(memory), version_(version), types_(memory, version, TypeBuilder::modules()) {}

  const MemoryReader& memory() const override { return memory_; }
  GoVersion go_version() const override { return version_; }
  Result<const Type*> dynamic_type(Address at) const override { return types_.at(at); }
  Result<MapShape> map_shape_of(const Type& map) const override {
    const auto head = RuntimeTypes::descriptor_of(&map);
    if (!head) return Error{ErrorCode::not_found, "not of the runtime"};
    auto details = types_.details_at(head->address);
    if (!details) return std::move(details).error();
    auto unit = types_.at(details->unit), key = types_.at(details->key),
         element = types_.at(details->element);
    for (const auto* part : {&unit, &key, &element})
      if (!*part) return part->error();
    return map_shape(**unit, **key, **element);
  }
  Result<bool> is_empty_interface(const Type& interface) const override {
    if (!RuntimeTypes::descriptor_of(&interface))
      return ValueContext::is_empty_interface(interface);
    auto details = details_of(interface);
    if (!details) return std::move(details).error();
    return details->interface_methods.empty();
  }
  Result<TypeDetails> details_of(const Type& type) const override {
    const auto head = RuntimeTypes::descriptor_of(&type);
    return head ? types_.details_at(head->address) : ValueContext::details_of(type);
  }
  std::optional<CodePlace> place_of(Address pc) const override {
    const auto found = places.find(pc);
    if (found == places.end()) return std::nullopt;
    return found->second;
  }
  std::vector<CapturedVariable> captured_variables(Address entry) const override {
    const auto found = captured.find(entry);
    return found == captured.end() ? std::vector<CapturedVariable>() : found->second;
  }
  bool in_image(Address address) const override { return image.contains(address); }
  const AddressDescriber* describer() const override { return addresses; }
  std::optional<std::uint64_t> goroutine_id(Address g) const override { return g.value & 0xff; }
  Result<Datum> variable_named(std::string_view name) const override {
    const auto found = variables.find(std::string(name));
    if (found == variables.end()) return ValueContext::variable_named(name);
    return found->second;
  }
  Result<const Type*> type_named(std::string_view name) const override {
    const auto found = named_types.find(std::string(name));
    if (found == named_types.end()) return ValueContext::type_named(name);
    return types_.at(found->second);
  }

  std::vector<std::string> packages_named(std::string_view name) const override {
    const auto found = packages.find(std::string(name));
    return found == packages.end() ? std::vector<std::string>() : found->second;
  }

  Datum datum(Address type, Address at) const {
    auto found = types_.at(type);
    return datum_at(found ? *found : nullptr, at);
  }

  std::map<Address, CodePlace> places;
  std::map<Address, std::vector<CapturedVariable>> captured;
  const AddressDescriber* addresses = nullptr;
  AddressRange image;
  std::map<std::string, Datum> variables;
  std::map<std::string, Address> named_types;
  std::map<std::string, std::vector<std::string>> packages;

 private:
  const MemoryReader& memory_;
  GoVersion version_;
  RuntimeTypes types_;
};

}  // namespace cgo
