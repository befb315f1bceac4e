#include "target/type.h"

namespace cgo {

Result<const Type*> stripped(const Type* type) {
  constexpr int kLongestChain = 64;
  for (int step = 0; step < kLongestChain; ++step) {
    if (type->kind() != TypeKind::alias && type->kind() != TypeKind::qualified) return type;
    auto next = type->target();
    if (!next) return next;
    type = *next;
  }
  return Error{ErrorCode::malformed_data,
               "the type " + std::string(type->name()) + " is an alias of itself"};
}

}  // namespace cgo
