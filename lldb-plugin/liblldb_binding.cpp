#include "lldb-plugin/liblldb_binding.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <cstring>

// One file serves several releases of LLDB because it does not link liblldb: the functions are
// bound at their first call to the liblldb that is in the process. Two things follow. Python's
// `import lldb` opens liblldb without RTLD_GLOBAL, so it has to be made global first. And a release
// that lacks a function must be noticed before the call, because a failed lazy binding ends the
// process.

namespace cgo {
namespace {

constexpr const char* kSymbolOfLiblldb = "_ZN4lldb10SBDebugger21GetCommandInterpreterEv";

/// Stops the iteration at the object that defines LLDB's API. Found by symbol: the file may be
/// called liblldb-22.so.1 or _lldb.cpython-311-x86_64-linux-gnu.so.
int promote_if_liblldb(dl_phdr_info* info, std::size_t, void*) {
  if (info->dlpi_name == nullptr || *info->dlpi_name == '\0') return 0;
  void* object = dlopen(info->dlpi_name, RTLD_NOLOAD | RTLD_LAZY);
  if (object == nullptr) return 0;
  Dl_info where{};
  void* symbol = dlsym(object, kSymbolOfLiblldb);
  // dlsym also searches the dependencies; only the defining object itself will do.
  const bool defines = symbol != nullptr && dladdr(symbol, &where) != 0 &&
                       std::strcmp(where.dli_fname, info->dlpi_name) == 0;
  if (defines) dlopen(info->dlpi_name, RTLD_NOLOAD | RTLD_LAZY | RTLD_GLOBAL);
  dlclose(object);
  return defines ? 1 : 0;
}

__attribute__((constructor)) void promote_liblldb() {
  dl_iterate_phdr(promote_if_liblldb, nullptr);
}

/// The dynamic section of the object this function is in.
const ElfW(Dyn) * own_dynamic_section() {
  Dl_info where{};
  link_map* map = nullptr;
  if (dladdr1(reinterpret_cast<void*>(&missing_lldb_functions), &where,
              reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) == 0)
    return nullptr;
  return map->l_ld;
}

}  // namespace

std::vector<std::string> missing_lldb_functions() {
  const ElfW(Rela)* relocations = nullptr;
  std::size_t relocation_bytes = 0;
  const ElfW(Sym)* symbols = nullptr;
  const char* names = nullptr;
  const ElfW(Dyn)* entry = own_dynamic_section();
  for (; entry != nullptr && entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_JMPREL)
      relocations = reinterpret_cast<const ElfW(Rela)*>(entry->d_un.d_ptr);
    if (entry->d_tag == DT_PLTRELSZ) relocation_bytes = entry->d_un.d_val;
    if (entry->d_tag == DT_SYMTAB) symbols = reinterpret_cast<const ElfW(Sym)*>(entry->d_un.d_ptr);
    if (entry->d_tag == DT_STRTAB) names = reinterpret_cast<const char*>(entry->d_un.d_ptr);
  }
  std::vector<std::string> missing;
  if (relocations == nullptr || symbols == nullptr || names == nullptr) return missing;
  for (std::size_t i = 0; i < relocation_bytes / sizeof *relocations; ++i) {
    const char* name = names + symbols[ELF64_R_SYM(relocations[i].r_info)].st_name;
    const bool of_lldb =
        std::strncmp(name, "_ZN4lldb", 8) == 0 || std::strncmp(name, "_ZNK4lldb", 9) == 0;
    if (of_lldb && dlsym(RTLD_DEFAULT, name) == nullptr) missing.emplace_back(name);
  }
  return missing;
}

}  // namespace cgo
