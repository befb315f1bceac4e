#include "target/process_memory.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <string>
#include <vector>

namespace cgo {
namespace {

constexpr std::size_t kPage = 4096;

/// Pages of this process, `readable` of them and one guard page behind.
class Pages {
 public:
  explicit Pages(std::size_t readable) : bytes_((readable + 1) * kPage) {
    void* mapped =
        mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(mapped != MAP_FAILED);
    data_ = static_cast<char*>(mapped);
    for (std::size_t i = 0; i < readable * kPage; ++i) data_[i] = static_cast<char>(i / 7);
    REQUIRE(mprotect(data_ + readable * kPage, kPage, PROT_NONE) == 0);
  }
  ~Pages() { munmap(data_, bytes_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  Address at(std::size_t offset) const { return {reinterpret_cast<std::uint64_t>(data_) + offset}; }
  const char* data() const { return data_; }

 private:
  std::size_t bytes_;
  char* data_;
};

}  // namespace

TEST_CASE("a process's memory is read as it is") {
  const Pages pages(600);  // More than the kernel copies in one step.
  const ProcessMemory memory(getpid());
  const auto all = read_bytes(memory, pages.at(5), 600 * kPage - 5);
  REQUIRE(all);
  CHECK(std::memcmp(all->data(), pages.data() + 5, all->size()) == 0);
}

TEST_CASE("the first page that cannot be read is named, at its first byte") {
  const Pages pages(3);
  const ProcessMemory memory(getpid());
  for (const std::size_t offset : {std::size_t{0}, std::size_t{1}, kPage, 3 * kPage - 1}) {
    const auto refused = read_bytes(memory, pages.at(offset), 4 * kPage);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unreadable_memory);
    CHECK(refused.error().address == pages.at(3 * kPage));
  }
  const auto inside = read_bytes(memory, pages.at(3 * kPage + 7), 4);
  REQUIRE_FALSE(inside);
  CHECK(inside.error().address == pages.at(3 * kPage + 7));
  CHECK_FALSE(read_bytes(memory, {0}, 1));
  CHECK_FALSE(read_bytes(memory, {~std::uint64_t{0} - 3}, 8));
}

TEST_CASE("many pieces are read at once, but for those that are not there") {
  const Pages pages(1500);  // More than one call of the kernel's takes.
  const ProcessMemory memory(getpid());
  constexpr std::size_t kBytes = 16;
  std::vector<std::array<std::byte, kBytes>> buffers(1502);
  std::vector<MemoryPiece> pieces;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    // Each third is in no page, and one reaches over the end.
    const Address from = i % 3 == 1 ? Address{i} : pages.at(i * kPage % (1500 * kPage));
    pieces.push_back({.from = i == 900 ? pages.at(1500 * kPage - 8) : from, .out = buffers[i]});
  }
  pieces[600].read = true;
  memory.read_each(pieces);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i == 600) {
      CHECK(buffers[i] == std::array<std::byte, kBytes>{});
      continue;
    }
    const bool there = i % 3 != 1 && i != 900;
    REQUIRE(pieces[i].read == there);
    if (there)
      CHECK(std::memcmp(buffers[i].data(), reinterpret_cast<const char*>(pieces[i].from.value),
                        kBytes) == 0);
  }
}

TEST_CASE("a debugger's breakpoint bytes are hidden") {
  const Pages pages(1);
  const auto byte = [](int value) { return std::byte(value); };
  const ProcessMemory memory(getpid(), {{pages.at(12), {byte(0xaa)}},
                                        {pages.at(4), {byte(1), byte(2), byte(3), byte(4)}}});
  const auto across = read_bytes(memory, pages.at(6), 8);
  REQUIRE(across);
  CHECK(across->at(0) == byte(3));
  CHECK(across->at(1) == byte(4));
  CHECK(across->at(2) == byte(pages.data()[8]));
  CHECK(across->at(6) == byte(0xaa));
  const auto before = read_bytes(memory, pages.at(0), 5);
  REQUIRE(before);
  CHECK(before->at(4) == byte(1));
  CHECK(*read_unsigned<std::uint8_t>(memory, pages.at(8)) == pages.data()[8]);
}

TEST_CASE("a process that is gone is said to be gone") {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  const auto refused = read_bytes(ProcessMemory(child), {0x1000}, 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unreadable_memory);
  CHECK(refused.error().message.find("No such process") != std::string::npos);
  const auto mappings = process_mappings(child);
  REQUIRE_FALSE(mappings);
  CHECK(mappings.error().code == ErrorCode::io_failure);
}

TEST_CASE("this process's mappings have its code and its stack") {
  auto mappings = process_mappings(getpid());
  REQUIRE(mappings);
  const MappingList list(*std::move(mappings));
  int local = 0;
  const Mapping* stack = list.find({reinterpret_cast<std::uint64_t>(&local)});
  REQUIRE(stack);
  CHECK(stack->writable);
  const Mapping* code = list.find({reinterpret_cast<std::uint64_t>(&process_mappings)});
  REQUIRE(code);
  CHECK(code->executable);
  CHECK_FALSE(code->path.empty());
}

}  // namespace cgo
