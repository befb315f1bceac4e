#include "lldb-plugin/preload_words.h"

#include <catch2/catch_test_macros.hpp>

namespace cgo {
namespace {

constexpr const char* kAgent = "/opt/lldb-cgo/liblldb-cgo-agent.so";

TEST_CASE("the agent comes in front of the user's libraries and leaves them as they were") {
  for (const char* user : {"", "/a.so", "/a.so:/b.so", "/a.so /b.so", "liba.so: /b.so"}) {
    CAPTURE(user);
    const std::string with = with_agent(user, kAgent);
    CHECK(agent_in(with) == kAgent);
    CHECK(with.starts_with(kAgent));
    CHECK(without_agent(with) == user);
  }
  CHECK(with_agent("/a.so:/b.so", kAgent) == std::string(kAgent) + ":/a.so:/b.so");
  CHECK(without_agent(with_agent("/a.so:/b.so", kAgent)) == "/a.so:/b.so");
  CHECK(without_agent("/a.so  :/b.so") == "/a.so  :/b.so");
}

TEST_CASE("an older agent is replaced, wherever it stands") {
  const std::string older = "/a.so:/old/liblldb-cgo-agent.so /b.so";
  CHECK(without_agent("/a.so:/old/liblldb-cgo-agent.so") == "/a.so");
  CHECK(without_agent("liblldb-cgo-agent.so").empty());
  CHECK(agent_in(older) == "/old/liblldb-cgo-agent.so");
  CHECK(with_agent(older, kAgent) == std::string(kAgent) + ":/a.so:/b.so");
  CHECK(agent_in("/x/other-liblldb-cgo-agent.so.1").empty());
  CHECK(agent_in("/x/my-liblldb-cgo-agent.so").empty());
}

TEST_CASE("options stand behind the user's and go away alone") {
  CHECK(with_options("", "sample=1k") == "lldb,sample=1k");
  CHECK(with_options("frees=10", "sample=1k") == "frees=10,lldb,sample=1k");
  CHECK(with_options("frees=10,lldb,sample=1k", "quarantine=1m") == "frees=10,lldb,quarantine=1m");
  CHECK(with_options("frees=10", "").empty() == false);
  CHECK(with_options("frees=10,lldb,sample=1k", "") == "frees=10");
  for (const char* user : {"", "frees=10", "frees=10,depth=3", "lldbx=3"})
    CHECK(without_options(with_options(user, "sample=1k")) == user);
}

TEST_CASE("numbers of bytes are those that the agent takes") {
  for (const char* good : {"0", "1", "512k", "1m", "2g", "123456789012"})
    CHECK(is_byte_count(good));
  for (const char* bad : {"", "k", "1kk", "-1", "1.5m", "0x10", "1 k", "1234567890123"})
    CHECK_FALSE(is_byte_count(bad));
}

}  // namespace
}  // namespace cgo
