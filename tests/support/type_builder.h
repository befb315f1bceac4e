#pragma once

#include <string>
#include <vector>

#include "goruntime/runtime_types.h"
#include "support/memory_image.h"

namespace cgo {

/// Type descriptors as the linker lays them out, in memory built by hand.
class TypeBuilder {
 public:
  static constexpr Address kTypes{0x500000};
  static constexpr std::uint64_t kTypesBytes = 0x40000;

  struct Field {
    std::string name;
    Address type;
    std::uint64_t offset = 0;
    bool embedded = false;
  };

  explicit TypeBuilder(GoVersion version) : version_(version) {}

  Address basic(GoKind kind, std::uint64_t bytes, const std::string& name);
  Address pointer(Address element, const std::string& name);
  Address slice(Address element, const std::string& name);
  Address array(Address element, std::uint64_t length, std::uint64_t bytes,
                const std::string& name);
  /// `package`: of a named type, its import path; empty for an unnamed one.
  Address structure(const std::vector<Field>& fields, std::uint64_t bytes, const std::string& name,
                    const std::string& package = {});
  Address interface(const std::vector<std::string>& methods, const std::string& name);
  Address map(Address key, Address element, Address unit, const std::string& name);
  Address channel(Address element, std::uint64_t direction, const std::string& name);
  Address function(const std::vector<Address>& in, const std::vector<Address>& out,
                   const std::string& name);
  /// The unit of a map type: a group of a Swiss table, or a bucket of the older one.
  Address group(Address key, std::uint64_t key_bytes, Address element, std::uint64_t element_bytes);
  Address bucket(Address key, std::uint64_t key_bytes, Address element,
                 std::uint64_t element_bytes);

  /// Room that nothing else uses, for the program's own data.
  Address data(std::uint64_t bytes);
  MemoryImage& memory() { return memory_; }
  const MemoryImage& memory() const { return memory_; }
  GoVersion version() const { return version_; }
  static std::vector<AddressRange> modules() { return {{kTypes, {kTypes.value + kTypesBytes}}}; }

 private:
  Address reserve(std::uint64_t bytes);
  Address name(const std::string& text, bool embedded = false);
  Address head(GoKind kind, std::uint64_t bytes, const std::string& text, std::uint64_t more,
               std::uint8_t flags);
  void words(Address at, const std::vector<std::uint64_t>& values);

  GoVersion version_;
  MemoryImage memory_;
  std::uint64_t next_ = kTypes.value + 8;
  std::uint64_t next_data_ = 0xc000100000;
};

}  // namespace cgo
