#include "stops/fault_words.h"

#include <csignal>

namespace cgo {
namespace {

// Source: Linux include/uapi/asm-generic/siginfo.h.
struct CodeName {
  int number, code;
  const char* name;
};
constexpr CodeName kCodes[] = {
    {SIGSEGV, 1, "SEGV_MAPERR"}, {SIGSEGV, 2, "SEGV_ACCERR"},  {SIGSEGV, 3, "SEGV_BNDERR"},
    {SIGSEGV, 4, "SEGV_PKUERR"}, {SIGBUS, 1, "BUS_ADRALN"},    {SIGBUS, 2, "BUS_ADRERR"},
    {SIGBUS, 3, "BUS_OBJERR"},   {SIGBUS, 4, "BUS_MCEERR_AR"}, {SIGBUS, 5, "BUS_MCEERR_AO"},
    {SIGFPE, 1, "FPE_INTDIV"},   {SIGFPE, 2, "FPE_INTOVF"},    {SIGFPE, 3, "FPE_FLTDIV"},
    {SIGFPE, 4, "FPE_FLTOVF"},   {SIGFPE, 5, "FPE_FLTUND"},    {SIGFPE, 6, "FPE_FLTRES"},
    {SIGFPE, 7, "FPE_FLTINV"},   {SIGFPE, 8, "FPE_FLTSUB"},    {SIGILL, 1, "ILL_ILLOPC"},
    {SIGILL, 2, "ILL_ILLOPN"},   {SIGILL, 3, "ILL_ILLADR"},    {SIGILL, 4, "ILL_ILLTRP"},
    {SIGILL, 5, "ILL_PRVOPC"},   {SIGILL, 6, "ILL_PRVREG"},    {SIGILL, 7, "ILL_COPROC"},
    {SIGILL, 8, "ILL_BADSTK"}};
constexpr int kByKernel = 0x80;

}  // namespace

std::string signal_code_name(int number, int code) {
  if (code == kByKernel) return "SI_KERNEL";
  for (const CodeName& one : kCodes)
    if (one.number == number && one.code == code) return one.name;
  return {};
}

const char* name_of(Fault::Access access) {
  switch (access) {
    case Fault::Access::read:
      return "read";
    case Fault::Access::write:
      return "write";
    case Fault::Access::execute:
      return "execute";
    case Fault::Access::unknown:
      return nullptr;
  }
  return nullptr;
}

const char* name_of(CStack::Kind kind) {
  switch (kind) {
    case CStack::Kind::thread:
      return "thread";
    case CStack::Kind::main:
      return "main";
    case CStack::Kind::alternate:
      return "alternate";
    case CStack::Kind::mapping:
      return "mapping";
  }
  return "mapping";
}

std::string with_separators(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

}  // namespace cgo
