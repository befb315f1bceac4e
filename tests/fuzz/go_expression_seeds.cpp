#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "seeds.h"

namespace cgo {

void write_seeds(const SeedWriter& out) {
  int number = 0;
  for (const char* text :
       {"n + 2*3 - 1", "l[1:3][0]", "i.(int) == n && s != \"x\"", "(*int)(0xc000100000)",
        "map[string][]*int(nil)", "len(s) << 2 | 'a'", "*&n &^ ^1", "s[1:2:3]", "\"a/b\".C.d->e",
        "x.y[z, w](1.5e3)", "[4]int(0b11)", "n /", "(((((n)))))", "(1.5 + 2i) / complex(n, 0x1p-3)",
        "i.(interface{}) == 7", "string(l)", "uint8(255) + 1", "1 << n &^ l[0] >> 3"}) {
    std::vector<std::byte> bytes(std::strlen(text));
    std::memcpy(bytes.data(), text, bytes.size());
    out.add("expression-" + std::to_string(number++), std::move(bytes));
  }
}

}  // namespace cgo
