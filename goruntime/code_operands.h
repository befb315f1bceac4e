#pragma once

#include <vector>

#include "target/address.h"
#include "target/byte_view.h"

namespace cgo {

/// A global that an instruction names relative to its own address.
struct CodeOperand {
  enum class Use : std::uint8_t { load, store, address, compare };
  Address target;
  Use use;
};

/// The rip-relative operands of 8-byte instructions in amd64 code at `at`, in order. Found by their
/// encoding without decoding every instruction, so that a few may be wrong: check what they lead
/// to. Source: Intel SDM volume 2, ModR/M with mod 0 and r/m 5; forms that cmd/compile emits.
std::vector<CodeOperand> rip_operands_amd64(ByteView code, Address at);

/// How the code of runtime.asmcgocall finds the g of its thread.
struct TlsAccess {
  std::int64_t offset = 0;  ///< From the thread pointer, unless `slot` is set.
  Address slot;             ///< Address of the word that holds the offset (initial exec), or 0.
  const char* form = "";    ///< For people.
};

/// The first access to the thread-local g in `code` at `at`, or nothing.
/// Source: cmd/internal/obj/x86/obj6.go, progedit (TLS forms); relaxations of ld for
/// R_X86_64_GOTTPOFF.
std::optional<TlsAccess> tls_access_amd64(ByteView code, Address at);

}  // namespace cgo
